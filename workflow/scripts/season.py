"""Follow plants and leaves over all image sets."""

from datetime import datetime
from pathlib import Path

from phenopipe.garbage import importing

with importing():
    from phenopipe.config import SeasonSettings, check_config
    from phenopipe.logs import stage_log
    from phenopipe.provenance import season_facts
    from phenopipe.season import write_season

started = datetime.now().astimezone()
with stage_log(snakemake.log[0]):
    write_season(
        plants=snakemake.input.plants,
        leaves=snakemake.input.leaves,
        settings=SeasonSettings(**snakemake.params.settings),
        out=Path(snakemake.output[0]).parent,
        facts=season_facts(check_config(snakemake.config), snakemake.wildcards.analysis, started),
    )
