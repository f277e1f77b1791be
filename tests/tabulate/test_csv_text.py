from __future__ import annotations

import csv
import io
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.tabulate.csv_text import csv_text, format_number

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


def table(**columns):
    return pd.DataFrame(columns)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_look_like_a_formula_are_defused(start):
    cell = f"{start}cmd|'/C calc'!A1"
    text = csv_text(table(genotype=pd.array([cell, f" {cell}"], dtype="string")))
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["genotype"], [f"'{cell}"], [f" {cell}"]]


def test_headers_are_defused_too():
    assert csv_text(pd.DataFrame({"=A1": [1.0]})).startswith("'=A1\n")


def test_kinds_and_missing():
    text = csv_text(
        table(
            t=pd.array(["Café, 1", None, 'a"b'], dtype="string"),
            i=pd.array([3, None, -1], dtype="Int64"),
            n=[0.5, math.nan, -2.0],
            b=pd.array([True, None, False], dtype="boolean"),
        )
    )
    assert text == 't,i,n,b\n"Café, 1",3,0.5,true\n,,,\n"a""b",-1,-2,false\n'


def test_no_rows_is_a_header():
    assert csv_text(table(a=pd.array([], dtype="string"), b=[])) == "a,b\n"


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1))
def test_any_text_comes_back_as_it_was(cells):
    first, second = zip(*cells, strict=True)
    text = csv_text(table(a=pd.array(first, dtype="string"), b=pd.array(second, dtype="string")))
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    for row, original in zip(rows, cells, strict=True):
        for cell, was in zip(row, original, strict=True):
            assert cell == (f"'{was}" if was[:1] in set("=+-@\t\r") and was else was)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567.8, "1234568"),
        (999999.96, "1000000"),
        (100000.0, "100000"),
        (12.345678, "12.3457"),
        (0.000123456789, "0.000123457"),
        (-0.5, "-0.5"),
        (-0.0, "0"),
        (1e-20, "0.00000000000000000001"),
        (math.nan, ""),
    ],
)
def test_format_number(value, text):
    assert format_number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_number_keeps_six_digits_and_no_exponent(value):
    text = format_number(value)
    assert "e" not in text
    assert float(text) == pytest.approx(value, rel=5.1e-6, abs=1e-320)
