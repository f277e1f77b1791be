"""What the benchmarks that run Snakemake share."""

from __future__ import annotations

import os
import re

#: Where SLURM's commands are installed but no controller runs, Snakemake's plugin waits 9 s for it.
NO_CLUSTER = {"SLURM_CONF": os.devnull}


def count_jobs(output: str) -> dict[str, int]:
    """Read the table of jobs by rule that Snakemake prints; empty if there is nothing to be done.

    Raises
    ------
    SystemExit
        If there is no table.
    """
    if "Nothing to be done" in output:
        return {}
    table = re.search(r"^Job stats:\n.*\n[- ]+\n((?:\w+ +\d+\n)+)", output, re.MULTILINE)
    if not table:
        raise SystemExit(f"no table of jobs in what Snakemake printed:\n{output}")
    return {rule: int(n) for rule, n in re.findall(r"(\w+) +(\d+)", table[1])}
