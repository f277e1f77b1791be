"""Compare two analyses."""

import logging
from pathlib import Path

from phenopipe.garbage import importing

with importing():
    from phenopipe.compare import set_paths, summary_lines, write_comparison
    from phenopipe.config import CompareSettings
    from phenopipe.logs import stage_log

with stage_log(snakemake.log[0]):
    pair = snakemake.wildcards.a, snakemake.wildcards.b
    results = Path(snakemake.output[0]).parents[3]  # of RESULTS/comparisons/A/B/changes.csv
    found = write_comparison(
        [set_paths(results, *pair, key) for key in snakemake.params.sets],
        *pair,
        Path(snakemake.output[0]).parent,
        settings=CompareSettings(**snakemake.params.settings),
        made_with=tuple(snakemake.params.made_with),
    )
    logging.getLogger("phenopipe").info("%s", "\n".join(summary_lines(found.summary)))
