"""TSV tables give back what was written, whatever reads them."""

from __future__ import annotations

import csv

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.errors import StoreError
from phenopipe.tsv import format_tsv, read_tsv, write_tsv

ODD = [
    "",
    "a b",
    'say "no"',
    "$(rm x)",
    "two\nlines",
    "tab\there",
    "cr\rx",
    "Blätter",
    "\u2028",
    "'",
]
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(cells, cells), max_size=6))
def test_any_text_survives(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tsv") / "table.tsv"
    write_tsv(path, ["a", "b"], rows)
    assert read_tsv(path) == (["a", "b"], [list(row) for row in rows])


@pytest.mark.parametrize("cell", ODD)
def test_other_readers_agree(tmp_path, cell):
    path = tmp_path / "table.tsv"
    write_tsv(path, ["key", "cell"], [["1", cell]])
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    assert table["cell"].tolist() == [cell]
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file, delimiter="\t")) == [{"key": "1", "cell": cell}]


def test_plain_cells_have_no_quotes():
    assert format_tsv(["a", "b"], [["x y", ""]]) == "a\tb\nx y\t\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\tb\n1\n", "row 1 has 1 cells, the header 2"),
        (b"", "no TSV table"),
        (b"a\n\xff\n", "no TSV table"),
        (b'a\n"open\n', "no TSV table"),
    ],
)
def test_damaged_tables_are_named(tmp_path, content, message):
    path = tmp_path / "table.tsv"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=message) as caught:
        read_tsv(path)
    assert str(path) in str(caught.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"gone\.tsv: cannot be read"):
        read_tsv(tmp_path / "gone.tsv")
