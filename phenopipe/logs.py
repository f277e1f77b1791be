"""Logging of a stage: a file for a job, clear lines for the user."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phenopipe.errors import PhenopipeError

log = logging.getLogger(__name__)
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def stage_log(path: str | os.PathLike[str]) -> Iterator[None]:
    """Log to a file while a job runs; an error of the user's ends it with its lines, exit code 1.

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
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=[handler], force=True)
    try:
        yield
    except PhenopipeError as error:
        for problem in error.problems:
            log.error("%s", problem)
            print(f"error: {problem}", file=sys.stderr)
        sys.exit(1)
    except Exception:
        log.exception("stopped by an error that was not expected")
        raise
    finally:
        handler.flush()
