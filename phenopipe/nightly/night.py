"""One unattended night, from the lock to the hook."""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from phenopipe import __version__
from phenopipe.clean import clean_crops
from phenopipe.config import Config, load_config
from phenopipe.errors import PhenopipeError
from phenopipe.nightly.hook import call_hook
from phenopipe.nightly.lock import sole_folder
from phenopipe.nightly.outcome import made_since, planned_sets, without_tables
from phenopipe.nightly.settle import wait_until_settled
from phenopipe.nightly.snakemake_run import run_snakemake, snakemake_command, write_held
from phenopipe.nightly.space import NoSpaceError, check_space, free_gb
from phenopipe.nightly.summary import Night, night_text, write_night
from phenopipe.plan import open_source
from phenopipe.plan.names import set_key

log = logging.getLogger(__name__)

RESULTS = Path("results")
SUMMARIES = RESULTS / "nightly"
#: A disk with less room fails jobs, and may be too full for what they say, GB.
FULL_GB = 0.1


def run_night(config_path: Path, options: Sequence[str] = ()) -> Night:
    """Run the workflow of the present folder once, unattended, and tell how it went.

    Ctrl-C and SIGTERM end it early, with a summary.

    Parameters
    ----------
    config_path : Path
        The configuration.
    options : sequence of str
        Options of Snakemake, after those of ``nightly.snakemake``.

    Returns
    -------
    Night
        How it went; its summaries are written and the hook was called.

    Raises
    ------
    BusyError
        At once, if another run goes on in the folder.
    ConfigError
        If the configuration or an option is wrong: nobody can be told in another way.
    StoreError
        If the lock cannot be made.
    """
    config = load_config(config_path)
    options = [*config.nightly.snakemake, *options]
    snakemake_command(options, [config_path])  # a wrong option is wrong at once
    with _stopping_on_sigterm(), sole_folder() as lock:
        begun = time.time()
        night = Night(config.experiment, _iso(begun), socket.gethostname(), __version__)
        path = _free_name(begun)
        night.log = str(Path("logs/nightly") / f"{path.name}.log")
        try:
            _work(config, night, options, config_path, lock)
        except NoSpaceError as error:
            night.status, night.problems = "no space", list(error.problems)
        except PhenopipeError as error:
            night.status = "wrong input" if night.snakemake_exit_code is None else "failed"
            night.problems += error.problems
        except KeyboardInterrupt:
            night.status = "failed"
            night.problems.append("stopped by a signal")
        except Exception as error:
            night.status = "failed"
            night.problems.append(f"{type(error).__name__}: {error}")
            raise
        finally:
            if not night.command:
                night.log = ""  # nobody wrote it
            night.finished, night.duration_s = _iso(time.time()), time.time() - begun
            _tell(config, night, path)
    return night


@contextmanager
def _stopping_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, and not the process before somebody is told."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python hears no signals here
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _work(config: Config, night: Night, options: list[str], config_path: Path, lock: int) -> None:
    """Look at disk and pictures, run Snakemake, and note what came of it."""
    night.free_gb = check_space(RESULTS, config.nightly.min_free_gb)
    night.waiting = wait_until_settled(config)
    if not _is_anything_planned(config, night):
        night.status = "well"
        return
    configfiles = [config_path]
    if night.waiting:
        # Of two lists Snakemake takes the last: this one has all.
        configfiles.append(write_held({*config.plan.hold, *night.waiting}))
    night.command = snakemake_command(options, configfiles)
    since = time.time()
    run = run_snakemake(night.command, Path(night.log), lock)
    night.snakemake_exit_code, night.problems = run.exit_code, list(run.errors)
    night.status = "failed" if run.exit_code else "well"
    if run.exit_code and (left := free_gb(RESULTS)) < FULL_GB:
        night.problems.append(f"{RESULTS}: its disk is full ({left:.2g} GB left)")
    _note_outcome(config, night, since)
    if config.nightly.clean and night.status == "well":
        night.cleaned_bytes = _clean(config, night)


def _is_anything_planned(config: Config, night: Night) -> bool:
    """Tell whether any set has settled, or waits as it was planned in an earlier night."""
    settled = set(open_source(config).sets()) - {*config.plan.hold, *night.waiting}
    waiting = map(set_key, {*config.plan.hold, *night.waiting})
    return bool(settled) or any((RESULTS / f"plan/{key}.roster.tsv").exists() for key in waiting)


def _note_outcome(config: Config, night: Night, since: float) -> None:
    for analysis in config.analyses:
        night.made[analysis] = made_since(RESULTS, analysis, since)
    if (rosters := planned_sets(config, RESULTS)) is None:
        return
    night.dropped = rosters.dropped()
    missing = {name: without_tables(RESULTS, name, rosters) for name in config.analyses}
    night.unfinished = {name: sets for name, sets in missing.items() if sets}


def _clean(config: Config, night: Night) -> int:
    """Clean; what is refused is a line of the summary and no failure of the night."""
    done = clean_crops(config, delete=True)
    night.problems += [f"not cleaned: {line}" for line in done.refused]
    return done.freed


def _tell(config: Config, night: Night, path: Path) -> None:
    """Write the summaries, call the hook, and note what became of it."""
    files = path.with_suffix(".json"), path.with_suffix(".txt")
    _write(night, *files)
    if not config.nightly.hook:
        return
    values = {
        "status": night.status,
        "code": str(night.exit_code),
        "json": str(files[0]),
        "text": str(files[1]),
    }
    night.hook = call_hook(
        config.nightly.hook, night_text(night), values, config.nightly.hook_seconds
    )
    _write(night, *files)


def _write(night: Night, json_path: Path, text_path: Path) -> None:
    try:
        write_night(night, json_path, text_path)
    except PhenopipeError as error:  # a full disk: the hook and the terminal are told all the same
        night.problems += [line for line in error.problems if line not in night.problems]
        log.error("%s", error)


def _free_name(begun: float) -> Path:
    """Return the path of a night's summaries, without ending, that none has yet."""
    stem = datetime.fromtimestamp(begun).astimezone().strftime("%Y%m%dT%H%M%S%z")
    names = [SUMMARIES / stem, *(SUMMARIES / f"{stem}-{number}" for number in range(2, 100))]
    return next(path for path in names if not path.with_suffix(".json").exists())


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
