"""How a run went: how many rows are good, flagged, or failed, and which failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from phenopipe.plan import printable
from phenopipe.tabulate.flags import FAILED, has_flag


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


def summarize(plants: pd.DataFrame) -> Summary:
    """Count the rows of one `plants.csv`, or of several put together.

    Parameters
    ----------
    plants : DataFrame
        Rows as `phenopipe.tabulate.rows.plant_rows` makes them.

    Returns
    -------
    Summary
        Counts and failed rows.
    """
    failed = has_flag(plants["qc_flags"], *FAILED)
    flagged = plants["qc_flags"].fillna("").ne("") & ~failed
    named = plants.loc[failed, ["image_set", "image", "pot", "reason"]].fillna("")
    return Summary(
        ok=int(len(plants) - failed.sum() - flagged.sum()),
        flagged=int(flagged.sum()),
        failed=int(failed.sum()),
        failures=tuple(Failure(*map(str, row)) for row in named.itertuples(index=False)),
    )


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
