from __future__ import annotations

import pandas as pd
import pytest
from compare_tables import plants
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.compare import CHANGES, SUMMARY, plant_changes, summarize_changes, summary_lines
from phenopipe.compare.changes import most_changed
from phenopipe.errors import InputError
from phenopipe.tabulate.columns import names

A = plants([("p1", 4, 100.0), ("p2", 5, 80.0), ("p3", 6, 50.0), ("p4", None, None), ("p5", 3, 9.0)])
B = plants([("p0", 2, 7.0), ("p1", 4, 100.0), ("p2", 5, 60.0), ("p3", 8, 55.0), ("p4", 1, 5.0)])


def changes():
    return plant_changes(A, B)


def test_each_row_says_what_changed():
    table = changes()
    assert list(table) == names(CHANGES)
    assert dict(zip(table["plant_id"], table["change"], strict=True)) == {
        **{"p1": "same", "p2": "area", "p3": "count", "p4": "only_b", "p5": "only_a"},
        "p0": "only_b",
    }
    assert table["plant_id"].tolist()[:5] == A["plant_id"].tolist(), "in the order of A"
    p3 = table.set_index("plant_id").loc["p3"]
    assert p3["leaf_count_change"] == 2
    assert p3["plant_area_relative_change"] == pytest.approx(0.1)
    assert p3["image_set"] == "n1"


def test_the_summary_is_of_rows_measured_in_both():
    total, by_set = summarize_changes(changes()).to_dict("records")
    assert list(total) == names(SUMMARY)
    assert (total.pop("image_set"), by_set.pop("image_set")) == ("all", "n1")
    assert {name: value for name, value in total.items() if pd.notna(value)} == pytest.approx(
        {
            **{"rows": 6, "compared": 3, "same": 1, "count_changed": 1, "area_changed": 2},
            **{"only_a": 1, "only_b": 2, "leaves_a": 15, "leaves_b": 17},
            **{"mean_count_change": 2 / 3, "mean_absolute_count_change": 2 / 3},
            **{"max_absolute_count_change": 2, "median_area_change": 0.0},
            **{"median_absolute_area_change": 0.1, "max_absolute_area_change": 0.25},
        }
    )


def test_the_lines_end_with_all_sets():
    *_, last = summary_lines(summarize_changes(changes()))
    assert last.split()[:5] == ["all", "3", "1", "2", "1"]
    assert "+0.667" in last


def test_the_most_changed_come_first():
    assert most_changed(changes(), 9)["plant_id"].tolist() == ["p3", "p2"]
    assert len(most_changed(changes(), 1)) == 1


def test_a_plant_out_of_nothing_has_no_share():
    table = plant_changes(plants([("p1", 0, 0.0)]), plants([("p1", 2, 8.0)]))
    assert table["change"].tolist() == ["count"]
    assert table["plant_area_relative_change"].isna().all()
    assert len(most_changed(table, 9)) == 1


def test_failed_in_both_is_neither():
    failed = plants([("p1", None, None)])
    table = plant_changes(failed, failed)
    assert table["change"].tolist() == ["neither"]
    assert summarize_changes(table)["compared"].tolist() == [0, 0]


def test_no_rows():
    table = plant_changes(plants([]), plants([]))
    assert (len(table), list(table)) == (0, names(CHANGES))
    assert summarize_changes(table)["rows"].tolist() == [0]


def test_a_plant_that_is_there_twice_is_named():
    twice = plants([("p1", 1, 1.0), ("p1", 2, 2.0)])
    with pytest.raises(InputError, match=r"analysis B: n1: n1/p1.png, pot 1 has two rows"):
        plant_changes(A, twice)


cells = st.one_of(st.just((None, None)), st.tuples(st.integers(0, 30), st.floats(0, 1e6)))


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(cells, cells)))
def test_both_ways_say_the_same(pairs):
    """What B gained over A, A lost over B; the sums add up."""
    one, two = (plants([(k, *cell[n]) for k, cell in pairs.items()]) for n in (0, 1))
    there, back = plant_changes(one, two), plant_changes(two, one)
    mirrored = {"only_a": "only_b", "only_b": "only_a"}
    assert [mirrored.get(kind, kind) for kind in back["change"]] == there["change"].tolist()
    total = summarize_changes(there).iloc[0]
    change = there["leaf_count_change"].dropna()
    assert total["leaves_b"] - total["leaves_a"] == change.sum()
    assert (change == -back["leaf_count_change"].dropna()).all()
    kinds = there["change"].value_counts()
    assert total["rows"] == kinds.sum() == len(pairs)
    assert total["compared"] == kinds.reindex(["same", "area", "count"]).sum()
