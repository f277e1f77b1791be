"""Jobs that a run left behind in SLURM when it was killed."""

from __future__ import annotations

import os
import time
from pathlib import Path

from phenopipe.cluster.ask import ask, living_jobs
from phenopipe.errors import StoreError

#: A training that is cancelled writes its checkpoint first; SLURM kills what is left, s.
ENDS_WITHIN_S = 180.0


def cancel_leftovers(folder: str | os.PathLike[str]) -> list[str]:
    """Cancel the SLURM jobs of a folder, and wait until they have ended.

    A killed Snakemake leaves its jobs running, and the next one would start them again beside
    these, as second writers of the same files. To be called only by a run that has the folder for
    itself. Where there is no SLURM, nothing is done.

    Parameters
    ----------
    folder : path-like
        Where Snakemake runs; the executor's logs in it tell which jobs are its.

    Returns
    -------
    list of str
        Ids of the jobs that were cancelled.

    Raises
    ------
    StoreError
        If they do not end.
    """
    logs = Path(folder).resolve() / ".snakemake" / "slurm_logs"
    jobs = _living_jobs(logs)
    if not jobs:
        return []
    ask("scancel", *jobs)
    deadline = time.monotonic() + ENDS_WITHIN_S
    while (living := _living_jobs(logs)) or living is None:
        if time.monotonic() > deadline:
            raise StoreError(f"{folder}: SLURM jobs of an earlier run do not end: {' '.join(jobs)}")
        time.sleep(0.5)
    return jobs


def _living_jobs(logs: Path) -> list[str] | None:
    """Return the ids of this user's jobs that have not ended and log below a folder, if known."""
    told = living_jobs("JobID:20,STDOUT:4096")
    if told is None:
        return None
    lines = (line.split(maxsplit=1) for line in told)
    return [found[0] for found in lines if len(found) == 2 and found[1].startswith(f"{logs}/")]
