"""Write the page of one image set."""

from phenopipe.garbage import importing

with importing():
    from phenopipe.config import ReportSettings
    from phenopipe.ingest import borrow_crops
    from phenopipe.logs import stage_log
    from phenopipe.own_rows import read_places
    from phenopipe.report import set_cost_files, write_set_report

with stage_log(snakemake.log[0]):
    places = read_places(snakemake.params.roster, snakemake.input.tables)
    with borrow_crops(snakemake.input.crops, places) as crops:
        write_set_report(
            plants=snakemake.input.plants,
            crop_tables=snakemake.input.tables,
            crops=crops,
            labels=snakemake.input.labels,
            settings=ReportSettings(**snakemake.params.settings),
            made_with=snakemake.params.made_with,
            out=snakemake.output[0],
            places=places,
            costs=set_cost_files(
                snakemake.wildcards.set,
                snakemake.input.tables,
                snakemake.params.made_with["model"],
                snakemake.wildcards.analysis,
                places=places,
            ),
        )
