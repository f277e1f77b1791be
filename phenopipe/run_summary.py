"""The summary of a whole run, as JSON for programs and text for people: good, flagged, failed rows.

The end of every run shows it, so nothing heavy is imported here; rows are counted in
`phenopipe.tabulate.summary`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from phenopipe.errors import PhenopipeError, StoreError
from phenopipe.plan.names import printable

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Failure:
    """One row without measurements: its image set, image, pot and the reason."""

    image_set: str
    image: str
    pot: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """Counts of the rows of `plants.csv`.

    Attributes
    ----------
    ok : int
        Rows without a flag.
    flagged : int
        Rows with measurements and a flag.
    failed : int
        Rows without measurements: unreadable or damaged.
    failures : tuple of Failure
        The failed rows, in the order of the table.
    """

    ok: int
    flagged: int
    failed: int
    failures: tuple[Failure, ...] = ()

    @property
    def rows(self) -> int:
        """All rows."""
        return self.ok + self.flagged + self.failed

    @property
    def failed_share(self) -> float:
        """Failed rows over all rows, 0..1; 0 if there are none."""
        return self.failed / self.rows if self.rows else 0.0

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.ok + other.ok,
            self.flagged + other.flagged,
            self.failed + other.failed,
            self.failures + other.failures,
        )


class TooManyFailuresError(PhenopipeError, RuntimeError):
    """More rows could not be measured than the configuration allows."""


def read_summary(path: _Path) -> dict[str, Summary]:
    """Read the summaries of all image sets back.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    try:
        sets = json.loads(Path(path).read_text(encoding="utf-8"))["sets"]
        return {name: _summary(**values) for name, values in sets.items()}
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise StoreError(f"{path}: is no summary of a run, or is damaged ({reason})") from error


def _summary(ok: int, flagged: int, failed: int, failures: list[dict[str, str]]) -> Summary:
    return Summary(ok, flagged, failed, tuple(Failure(**failure) for failure in failures))


def check_failures(path: _Path, max_failed_share: float) -> None:
    """Say how a run went, and stop if too much failed.

    Parameters
    ----------
    path : path-like
        Summary of the run.
    max_failed_share : float
        Largest share of all rows that may have failed, 0..1.

    Raises
    ------
    TooManyFailuresError
        If a larger share failed.
    StoreError
        If the summary is missing or damaged.
    """
    total = sum(read_summary(path).values(), Summary(0, 0, 0))
    if total.failed_share > max_failed_share:
        raise TooManyFailuresError(
            f"{path}: {total.failed} of {total.rows} rows could not be measured "
            f"({total.failed_share:.1%}), more than run.max_failed_share allows "
            f"({max_failed_share:.1%}); the tables name them"
        )


def summary_text(path: _Path) -> str:
    """Return the summary of a run as text.

    Raises
    ------
    StoreError
        If the summary is missing or damaged.
    """
    return render_summary(read_summary(path))


def render_summary(sets: Mapping[str, Summary], *, most_failures: int = 20) -> str:
    """Write the summary that ends a run: a line for each image set, the sum, the failed rows.

    Parameters
    ----------
    sets : mapping of str to Summary
        Summaries by image set.
    most_failures : int
        Name at most this many failed rows; say how many more there are.

    Returns
    -------
    str
        Text for a terminal; control characters of names are shown, not obeyed.
    """
    total = sum(sets.values(), Summary(0, 0, 0))
    named = [(printable(name), summary) for name, summary in sets.items()] + [("all", total)]
    width = max(len("image set"), *(len(name) for name, _ in named))
    lines = [f"{'image set':<{width}}  {'rows':>7}  {'ok':>7}  {'flagged':>7}  {'failed':>7}"]
    lines += [
        f"{name:<{width}}  {s.rows:>7}  {s.ok:>7}  {s.flagged:>7}  {s.failed:>7}"
        for name, s in named
    ]
    lines += [
        printable(f"failed: {f.image_set}, {f.image}, pot {f.pot or '-'}: {f.reason}")
        for f in total.failures[:most_failures]
    ]
    if (more := len(total.failures) - most_failures) > 0:
        lines.append(f"... and {more} more failed rows: see qc_flags in plants.csv")
    return "\n".join(lines) + "\n"
