"""Fail the run if too many rows could not be measured."""

from phenopipe.logs import stage_log
from phenopipe.run_summary import check_failures

with stage_log(snakemake.log[0]):
    check_failures(snakemake.input[0], snakemake.params.max_failed_share)
