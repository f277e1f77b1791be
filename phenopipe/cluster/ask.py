"""Ask SLURM's own commands, which may hang for ever, and wait a while only."""

from __future__ import annotations

import shutil
import subprocess

#: Where a service behind a command does not answer, some wait for it without end, s.
PATIENCE_S = 10.0

_LIVING = "PENDING,CONFIGURING,RUNNING,SUSPENDED,COMPLETING"


def ask(*command: str) -> str | None:
    """Return what a command prints.

    Parameters
    ----------
    *command : str
        A command and its arguments; no shell reads them.

    Returns
    -------
    str or None
        Its standard output; None if it is not installed, fails or does not answer in time.
    """
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def living_jobs(form: str) -> list[str] | None:
    """Return a line of ``squeue`` for each of this user's jobs that have not ended, if it answers.

    Parameters
    ----------
    form : str
        What to say of a job, as ``squeue --Format`` takes it.
    """
    told = ask("squeue", "--me", "--noheader", f"--states={_LIVING}", f"--Format={form}")
    return None if told is None else told.splitlines()
