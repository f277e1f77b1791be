"""Column tables of `docs/formats.md`, made from the columns themselves.

Run ``python -m phenopipe.season.document docs/formats.md`` after a change of columns or flags.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from phenopipe.compare.columns import CHANGES, SUMMARY
from phenopipe.errors import InputError
from phenopipe.files import write_text
from phenopipe.markdown import fill_parts, markdown_table
from phenopipe.season.columns import GROWTH, TRACKS
from phenopipe.sweep.columns import SWEEP
from phenopipe.tabulate.columns import LEAVES, PLANTS, Column
from phenopipe.tabulate.flags import FLAGS

TABLES = {
    "plants.csv": PLANTS,
    "leaves.csv": LEAVES,
    "season/growth.csv": GROWTH,
    "season/tracks.csv": TRACKS,
    "comparisons/changes.csv": CHANGES,
    "comparisons/summary.csv": SUMMARY,
    "sweeps/points.csv": SWEEP,
}


def fill_generated(text: str) -> str:
    """Fill in every generated part of a Markdown document.

    Parameters
    ----------
    text : str
        Document with parts between ``<!-- generated: NAME -->`` and
        ``<!-- end of generated -->``; NAME is one of `TABLES`, or ``qc_flags``.

    Returns
    -------
    str
        The same document, each part as it should be.

    Raises
    ------
    InputError
        If a part has an unknown name.
    """
    return fill_parts(text, _generate)


def columns_table(columns: Sequence[Column]) -> str:
    """Return a Markdown table of columns: name, type, unit, meaning and term."""
    rows = [(f"`{c.name}`", c.kind, c.unit, c.meaning, c.term) for c in columns]
    return markdown_table(("column", "type", "unit", "meaning", "term"), rows)


def _generate(name: str) -> str:
    if name == "qc_flags":
        return markdown_table(("flag", "meaning"), [(f"`{k}`", v) for k, v in FLAGS.items()])
    if name not in TABLES:
        raise InputError(f"generated part {name!r}: is none of {', '.join(TABLES)}, qc_flags")
    return columns_table(TABLES[name])


def main(arguments: Sequence[str]) -> None:
    """Rewrite the generated parts of each document named."""
    for name in arguments:
        path = Path(name)
        write_text(path, fill_generated(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(sys.argv[1:])
