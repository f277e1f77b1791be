"""Snakemake as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import yaml

from phenopipe.errors import ConfigError
from phenopipe.files import write_text, writing

#: Names the image sets that a night leaves as they are. By its folder the workflow tells it from
#: the user's configuration.
HELD = Path(".snakemake/phenopipe-hold.yaml")
#: Lines of Snakemake's and its jobs' that say what went wrong begin with one of these.
_TROUBLE = ("error: ", "Error in rule ", "Error in checkpoint ")
#: Most of them that a summary repeats.
MOST_ERRORS = 20
_RESERVED = ("--config", "-C", "--configfile", "--configfiles", "--directory", "-d")


@dataclass(frozen=True)
class SnakemakeRun:
    """What a run of Snakemake came to.

    Attributes
    ----------
    exit_code : int
        Its exit code; negative if a signal ended it.
    errors : tuple of str
        Lines that say what went wrong, the first `MOST_ERRORS` different ones.
    """

    exit_code: int
    errors: tuple[str, ...]


def snakemake_command(options: Sequence[str], configfiles: Sequence[Path]) -> list[str]:
    """Return the command that runs the workflow of the folder it is called in.

    Parameters
    ----------
    options : sequence of str
        Options of Snakemake.
    configfiles : sequence of Path
        Configurations, each merged into those before it.

    Raises
    ------
    ConfigError
        If an option is one that this command gives itself.
    """
    names = {option.partition("=")[0] for option in options}
    if taken := sorted(names.intersection(_RESERVED)):
        raise ConfigError(
            f"nightly: {', '.join(taken)} cannot be passed on to Snakemake; write settings into "
            "the configuration (--config FILE before --) and run in the project's folder"
        )
    return [sys.executable, "-m", "snakemake", *options, "--configfile", *map(str, configfiles)]


def write_held(held: Iterable[str]) -> Path:
    """Write a configuration that leaves image sets as they are.

    Names are no arguments of the command: Snakemake hands those on to its jobs through shells.

    Parameters
    ----------
    held : iterable of str
        Names for ``plan.hold``.

    Returns
    -------
    Path
        The file, `HELD`.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    write_text(HELD, yaml.safe_dump({"plan": {"hold": sorted(held)}}, allow_unicode=True))
    return HELD


def run_snakemake(command: Sequence[str], log: Path, lock: int) -> SnakemakeRun:
    """Run Snakemake to its end; what it says goes to a log.

    SIGINT and SIGTERM are passed on to it and its jobs once, and it is waited for.

    Parameters
    ----------
    command : sequence of str
        As :func:`snakemake_command` gives it.
    log : Path
        Log file, written anew.
    lock : int
        Descriptor of the lock, which the process holds as long as it lives.

    Raises
    ------
    StoreError
        If the log cannot be begun.
    """
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        # The file itself, no pipe: Snakemake goes on where this process is killed.
        told = log.open("wb")
    with told, _start(command, told, lock) as process, _passing_on(process):
        code = process.wait()
    return SnakemakeRun(code, _errors(log))


def _start(command: Sequence[str], told: BinaryIO, lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=told,
        stderr=subprocess.STDOUT,
        pass_fds=[lock],
        # A terminal's Ctrl-C would reach it a second time, which leaves its jobs running.
        start_new_session=True,
    )


def _errors(log: Path) -> tuple[str, ...]:
    """Return the lines of a log that say what went wrong, each once."""
    errors: dict[str, None] = {}
    with log.open(encoding="utf-8", errors="backslashreplace") as lines:
        for line in lines:
            if line.startswith(_TROUBLE) and len(errors) < MOST_ERRORS:
                errors[line.strip()] = None
    return tuple(errors)


@contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass signals that ask to stop on to a process and its jobs."""
    before = {}

    def pass_on(number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
