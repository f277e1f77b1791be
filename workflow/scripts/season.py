"""Follow plants and leaves over all image sets."""

from pathlib import Path

from phenopipe.config import SeasonSettings
from phenopipe.logs import stage_log
from phenopipe.season import write_season

with stage_log(snakemake.log[0]):
    write_season(
        plants=snakemake.input.plants,
        leaves=snakemake.input.leaves,
        settings=SeasonSettings(**snakemake.params.settings),
        out=Path(snakemake.output[0]).parent,
    )
