"""Count what was measured, flagged and failed in all image sets of an analysis."""

from phenopipe.garbage import importing

with importing():
    from phenopipe.logs import stage_log
    from phenopipe.tabulate.summary import write_summary

with stage_log(snakemake.log[0]):
    write_summary(snakemake.input, snakemake.output[0])
