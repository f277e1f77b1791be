"""Write the plan of one image set from the roster that the main process made."""

from phenopipe.logs import stage_log
from phenopipe.plan import read_roster, write_plan

with stage_log(snakemake.log[0]):
    write_plan(read_roster(snakemake.params.roster), snakemake.output[0])
