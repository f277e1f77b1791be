"""Logging of a stage: a file for a job, clear lines for the user."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from phenopipe.errors import PhenopipeError
from phenopipe.files import writing
from phenopipe.garbage import end_quickly
from phenopipe.job_files import count_time, job_line, this_job

log = logging.getLogger(__name__)
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_WARNING = re.compile(r"^[\d-]+ [\d:,]+ WARNING \S+: (.*)$", re.MULTILINE)


class LogFile(logging.FileHandler):
    """A log file, written anew; what it cannot hold, because the disk is full, goes to the user.

    Parameters
    ----------
    path : path-like
        The file; its folder is made if it is missing.

    Raises
    ------
    StoreError
        If the file cannot be made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        with writing(path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            super().__init__(path, mode="w", encoding="utf-8")
        self.setFormatter(logging.Formatter(FORMAT))

    def handleError(self, record: logging.LogRecord) -> None:
        """Print a record on standard error in place of logging's report on itself."""
        print(self.format(record), file=sys.stderr)

    def close(self) -> None:
        """Close the file, also where the disk is too full for what is left to write."""
        try:
            super().close()
        except OSError as error:
            print(f"{self.baseFilename}: is cut short ({error.strerror})", file=sys.stderr)


@contextmanager
def stage_log(path: str | os.PathLike[str]) -> Iterator[None]:
    """Log to a file while a job runs; an error of the user's ends it with its lines, exit code 1.

    The last line says when and where the job ran, see :mod:`phenopipe.job_files`. The process ends
    quickly then (:mod:`phenopipe.garbage`).

    Parameters
    ----------
    path : path-like
        The job's log file, written anew.

    Raises
    ------
    SystemExit
        With code 1 after a :class:`~phenopipe.errors.PhenopipeError`; each of its problems is
        one line in the log and on standard error.
    """
    end_quickly()
    with error_lines(), _logging_to(path):
        yield


@contextmanager
def error_lines() -> Iterator[None]:
    """Let an error of the user's end the process with its lines alone, exit code 1.

    Raises
    ------
    SystemExit
        With code 1 after a :class:`~phenopipe.errors.PhenopipeError`; each of its problems is
        one line on standard error.
    """
    try:
        yield
    except PhenopipeError as error:
        from phenopipe.plan.names import printable

        for problem in error.problems:
            print(f"error: {printable(problem)}", file=sys.stderr)
        sys.exit(1)


def list_warnings(folder: str | os.PathLike[str], since: float, most: int = 10) -> list[str]:
    """Return what jobs warned of in their logs, each warning once.

    Parameters
    ----------
    folder : path-like
        The logs of all stages.
    since : float
        Logs that were not written after this time, s since the epoch, are left out.
    most : int
        Most warnings to list; how many more there are is the last line.

    Returns
    -------
    list of str
        A line for each, with the log that has it, or how many do.
    """
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(Path(folder).rglob("*.log")):
        if path.stat().st_mtime >= since:
            text = path.read_text(encoding="utf-8", errors="replace")
            for message in dict.fromkeys(_WARNING.findall(text)):
                found[message].append(path)
    lines = [
        f"WARNING: {message} ({paths[0]}{f' and {more} more' if (more := len(paths) - 1) else ''})"
        for message, paths in found.items()
    ]
    rest = len(lines) - most
    return lines if rest <= 0 else [*lines[:most], f"WARNING: {rest} more, see {folder}"]


@contextmanager
def _logging_to(path: str | os.PathLike[str]) -> Iterator[None]:
    """Send all logging to a file, errors that end the block included."""
    handler = LogFile(path)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    started = datetime.now().astimezone()
    try:
        yield
    except PhenopipeError as error:
        for problem in error.problems:
            log.error("%s", problem)
        raise
    except Exception:
        log.exception("stopped by an error that was not expected")
        raise
    finally:
        log.info("%s", job_line(count_time(this_job(started))))
        logging.getLogger().removeHandler(handler)
        handler.close()
