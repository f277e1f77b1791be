from __future__ import annotations

from pathlib import Path

import pytest

from phenopipe.errors import InputError
from phenopipe.season.document import TABLES, columns_table, fill_generated
from phenopipe.tabulate import FLAGS, Column

FORMATS = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


def test_the_document_is_in_step_with_the_columns():
    text = FORMATS.read_text(encoding="utf-8")
    assert text == fill_generated(text), (
        "docs/formats.md has drifted: python -m phenopipe.season.document docs/formats.md"
    )


def test_the_document_has_every_table_and_flag():
    text = FORMATS.read_text(encoding="utf-8")
    for name, columns in TABLES.items():
        assert f"<!-- generated: {name} -->" in text
        assert all(f"| `{column.name}` |" in text for column in columns)
    assert all(f"| `{flag}` |" in text for flag in FLAGS)


def test_column_names_are_unique_and_described():
    for columns in TABLES.values():
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert all(column.meaning.endswith(".") for column in columns)
        assert not any("|" in column.meaning + column.unit for column in columns)


def test_columns_table():
    table = columns_table([Column("a", "number", "It is a.", "mm", "TO:1")])
    assert table.splitlines()[2] == "| `a` | number | mm | It is a. | TO:1 |"


def test_stale_parts_are_replaced_and_the_rest_kept():
    stale = "# T\n<!-- generated: qc_flags -->\nold\n<!-- end of generated -->\nkept\n"
    fresh = fill_generated(stale)
    assert "old" not in fresh and fresh.startswith("# T\n") and fresh.endswith("kept\n")
    assert fill_generated(fresh) == fresh


def test_unknown_part():
    with pytest.raises(InputError, match="moons"):
        fill_generated("<!-- generated: moons -->\n<!-- end of generated -->")
