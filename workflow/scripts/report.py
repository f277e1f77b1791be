"""Write the page of one image set."""

from phenopipe.config import ReportSettings
from phenopipe.logs import stage_log
from phenopipe.report import write_set_report

with stage_log(snakemake.log[0]):
    write_set_report(
        plants=snakemake.input.plants,
        crop_tables=snakemake.input.tables,
        crops=snakemake.input.crops,
        labels=snakemake.input.labels,
        settings=ReportSettings(**snakemake.params.settings),
        made_with=snakemake.params.made_with,
        out=snakemake.output[0],
    )
