"""Which image sets are still being copied."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from phenopipe.config import Config
from phenopipe.plan import open_source

log = logging.getLogger(__name__)

#: Looks at all sets while waiting for some: one this often, s.
LOOK_EVERY_S = 30.0


@dataclass(frozen=True)
class GrowingFile:
    """A picture that was changed a short while ago.

    Attributes
    ----------
    image : str
        Path below the image root.
    seconds : float
        How long ago it was changed, s.
    """

    image: str
    seconds: float


#: Growing files by the name of their image set.
Unsettled = Mapping[str, tuple[GrowingFile, ...]]


def find_unsettled(config: Config, now: float | None = None) -> Unsettled:
    """Find the image sets of which a picture was changed within ``nightly.settle_minutes``.

    Names and times are looked at, no picture is opened.

    Parameters
    ----------
    config : Config
        The configuration.
    now : float, optional
        Seconds since 1970; by default the clock's.

    Returns
    -------
    mapping of str to tuple of GrowingFile
        By name of the set; sets that have settled are left out, and all of them are if
        ``nightly.settle_minutes`` is 0.

    Raises
    ------
    InputError
        If the folder of images or the sample sheet is wrong.
    """
    now = time.time() if now is None else now
    settle = 60.0 * config.nightly.settle_minutes
    if not settle:
        return {}
    source = open_source(config, now)
    found = {}
    for name in source.sets():
        changed = [(file.image, now - file.changed) for file in source.candidates(name)]
        if growing := tuple(GrowingFile(*file) for file in changed if file[1] < settle):
            found[name] = growing
    return found


def wait_until_settled(
    config: Config,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Unsettled:
    """Wait for sets that are being copied, for ``nightly.wait_minutes`` at most.

    Parameters
    ----------
    config : Config
        The configuration.
    clock, sleep : callable
        As those of :mod:`time`.

    Returns
    -------
    mapping of str to tuple of GrowingFile
        What had not settled by then, see :func:`find_unsettled`.

    Raises
    ------
    InputError
        If the folder of images or the sample sheet is wrong.
    """
    end = clock() + 60.0 * config.nightly.wait_minutes
    while unsettled := find_unsettled(config, clock()):
        if (left := end - clock()) <= 0:
            break
        log.info("nightly: waiting for %d image sets that are being copied", len(unsettled))
        sleep(min(LOOK_EVERY_S, left, _settles_in(config, unsettled)))
    return unsettled


def _settles_in(config: Config, unsettled: Unsettled) -> float:
    """Return when the first of these sets will have settled if nothing changes any more, s."""
    youngest = (min(file.seconds for file in files) for files in unsettled.values())
    return 60.0 * config.nightly.settle_minutes - max(youngest) + 0.01
