"""Compare two analyses."""

import logging
from pathlib import Path

from phenopipe.compare import set_paths, summary_lines, write_comparison
from phenopipe.config import CompareSettings
from phenopipe.logs import stage_log

with stage_log(snakemake.log[0]):
    pair = snakemake.wildcards.a, snakemake.wildcards.b
    found = write_comparison(
        [set_paths(snakemake.params.results, *pair, key) for key in snakemake.params.sets],
        *pair,
        Path(snakemake.output[0]).parent,
        settings=CompareSettings(**snakemake.params.settings),
        made_with=tuple(snakemake.params.made_with),
    )
    logging.getLogger("phenopipe").info("%s", "\n".join(summary_lines(found.summary)))
