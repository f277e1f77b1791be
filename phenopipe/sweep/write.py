"""What a sweep leaves on disk and on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from phenopipe.files import write_text
from phenopipe.report.page import render_page, text_records
from phenopipe.report.set_report import Tile
from phenopipe.sweep.charts import sweep_charts
from phenopipe.sweep.columns import SWEEP
from phenopipe.sweep.propose import proposed_block
from phenopipe.sweep.sweep import Sweep
from phenopipe.tabulate.table_files import write_table

#: Figures in tables for people.
SHOWN = {
    "mean_leaf_count": "leaves",
    "count_shift": "shift",
    "symmetric_best_dice": "SBD",
    "absolute_difference_in_count": "|DiC|",
    "difference_in_count": "DiC",
}
#: Rows on the page, the best first.
MOST_ROWS = 60
#: What the proposal is chosen by.
BY_TRUTH = (
    "The point of the highest mean SBD over the pictures with a truth. It was chosen by these "
    "pictures, so on others expect a little less."
)
BY_STABILITY = (
    "There is no truth: the point whose leaf counts move least when a setting moves by one step. "
    "Stable is not right; compare it with some counts by hand."
)


def write_sweep(found: Sweep, out: Path, about: Mapping[str, str]) -> None:
    """Write ``points.csv`` with Parquet and schema, ``segment.yaml`` and ``report.html``.

    Parameters
    ----------
    found : Sweep
        What a sweep gave.
    out : Path
        Folder.
    about : mapping
        Facts on what was swept.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    block = proposed_block(found.proposed, [*found.grid.axes])
    page = render_page(
        "sweep.html.j2",
        charts=list(sweep_charts(found.table, found.grid)),
        charts_title="Heat maps",
        tiles=_tiles(found.table),
        axes=[*found.grid.axes],
        block=block,
        why=reason(found.table),
        rows=text_records(_ranked(found.table).head(MOST_ROWS)),
        points=len(found.table),
        shown=SHOWN,
        made=list(about.items()),
    )
    write_table(out / "points.csv", found.table, SWEEP, about)
    write_text(out / "segment.yaml", block)
    write_text(out / "report.html", page)


def sweep_lines(found: Sweep) -> Iterator[str]:
    """Yield the lines for the screen: settings now and proposed, and the block to paste."""
    table = found.table
    rows = table[table["now"] | table["proposed"]].sort_values("proposed", kind="stable")
    pairs = zip(rows["now"], rows["proposed"], strict=True)
    rows = rows.assign(what=[_note(now, proposed) for now, proposed in pairs])
    shown = rows[["what", *found.grid.axes, *SHOWN]].rename(columns=SHOWN)
    yield f"{len(table)} points, {table['plants'].iloc[0]} plants"
    yield from shown.to_string(index=False, float_format="{:.4g}".format, na_rep="-").splitlines()
    yield reason(table)
    yield from proposed_block(found.proposed, [*found.grid.axes]).splitlines()


def reason(table: pd.DataFrame) -> str:
    """Say what the proposal was chosen by."""
    return BY_TRUTH if table["pictures"].iloc[0] else BY_STABILITY


def _note(now: bool, proposed: bool) -> str:
    return " and ".join(["now"] * now + ["proposed"] * proposed)


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Sort points, the best first."""
    dice, shift = -table["symmetric_best_dice"], table["relative_count_shift"]
    order = table.assign(first=~table["proposed"], dice=dice, shift=shift)
    order = order.sort_values(["first", "dice", "shift"], kind="stable", na_position="last")
    return table.loc[order.index]


def _tiles(table: pd.DataFrame) -> list[Tile]:
    now, best = table[table["now"]].iloc[0], table[table["proposed"]].iloc[0]
    tiles = [
        Tile("plants", float(now["plants"])),
        Tile("points", len(table)),
        Tile("mean leaf count now", float(now["mean_leaf_count"])),
        Tile("proposed", float(best["mean_leaf_count"])),
    ]
    if now["pictures"]:
        for name in ("symmetric_best_dice", "absolute_difference_in_count"):
            tiles += [Tile(f"{SHOWN[name]} now", float(now[name])),
                      Tile(f"{SHOWN[name]} proposed", float(best[name]), kind="ok")]  # fmt: skip
    return tiles
