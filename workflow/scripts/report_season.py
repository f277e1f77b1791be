"""Write the page of a season."""

from phenopipe.garbage import importing

with importing():
    from phenopipe.config import ReportSettings
    from phenopipe.logs import stage_log
    from phenopipe.report import write_season_report

with stage_log(snakemake.log[0]):
    write_season_report(
        plants=snakemake.input.plants,
        growth=snakemake.input.growth,
        tracks=snakemake.input.tracks,
        settings=ReportSettings(**snakemake.params.settings),
        made_with=snakemake.params.made_with,
        out=snakemake.output[0],
    )
