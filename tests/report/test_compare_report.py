from __future__ import annotations

import json
import shutil

import pytest
from compare_scenes import write_results
from test_set_report import EVIL, Page

from phenopipe.compare import CHANGES, find_sets, set_paths, write_comparison
from phenopipe.compare.page import differing_settings
from phenopipe.config import CompareSettings
from phenopipe.errors import InputError, StoreError
from phenopipe.tabulate import read_table
from phenopipe.tabulate.columns import names


def compare(results, **options):
    sets = [set_paths(results, "a", "b", key) for key in find_sets(results, "a", "b")]
    found = write_comparison(sets, "a", "b", results / "out", **options)
    return found, (results / "out/report.html").read_text(encoding="utf-8")


def test_tables_and_page(tmp_path):
    write_results(tmp_path, ["n1", "n2"])
    made_with = ({"segment": {"x": 1}}, {"segment": {"x": 2}})
    found, text = compare(tmp_path, made_with=made_with)
    page = Page(text)
    # Of 8 plants 0, 1 and 2 leaves stay, four gain or lose two, and the last is unreadable.
    assert found.summary["rows"].tolist() == [16, 8, 8]
    assert found.summary["count_changed"].tolist() == [8, 4, 4]
    assert found.changes["change"].value_counts().to_dict() == {"count": 8, "same": 6, "neither": 2}
    assert (found.changes["leaf_count_change"].dropna().abs() <= 2).all()
    assert len(page.all("img")) == 8
    assert all(img["src"].startswith("data:image/jpeg;base64,") for img in page.all("img"))
    for words in ("From a to b", "segment.x", "Change of leaf count", "n1/plant 3.png"):
        assert words in page.words
    stored = read_table(tmp_path / "out/changes.csv")
    assert list(stored) == names(CHANGES)
    schema = json.loads((tmp_path / "out/changes.schema.json").read_text())
    assert schema["about"]["analysis_b"] == "b"
    assert [column["name"] for column in schema["columns"]] == list(stored)
    assert (tmp_path / "out/summary.csv").read_text().splitlines()[1].startswith("all,16,14,6,8,")


def test_names_are_text(tmp_path):
    write_results(tmp_path, [f"n{EVIL}"], genotype=EVIL)
    _, text = compare(tmp_path, made_with=({"note": EVIL}, {}))
    assert EVIL not in text
    assert EVIL in Page(text).words


def test_a_set_of_one_analysis_is_measured_there_alone(tmp_path):
    write_results(tmp_path, ["n1", "n2"])
    shutil.rmtree(tmp_path / "analyses/b/sets/n2")
    found, text = compare(tmp_path)
    assert found.summary["only_a"].tolist() == [7, 0, 7]
    assert found.summary["compared"].tolist() == [7, 7, 0]
    assert "Measured in A alone" in Page(text).words


@pytest.mark.parametrize("lost", ["crops/n1", "analyses/b/sets/n1/labels.zarr"])
def test_without_pixels_the_page_says_so(tmp_path, lost):
    write_results(tmp_path, ["n1"])
    shutil.rmtree(tmp_path / lost)
    found, text = compare(tmp_path)
    page = Page(text)
    assert not page.all("img")
    assert int(found.summary["count_changed"].iloc[0]) == 4
    assert "labels.zarr" in page.words


def test_equal_analyses_have_nothing_to_show(tmp_path):
    write_results(tmp_path, ["n1"])
    for name in ("plants.csv", "plants.parquet"):
        shutil.copy(tmp_path / "analyses/a/sets/n1" / name, tmp_path / "analyses/b/sets/n1" / name)
    found, text = compare(tmp_path)
    assert found.summary["same"].tolist() == [7, 7]
    assert "No plant changed" in Page(text).words


def test_how_many_are_shown_is_set(tmp_path):
    write_results(tmp_path, ["n1"])
    _, text = compare(tmp_path, settings=CompareSettings(pictures=1, rows=2))
    page = Page(text)
    assert len(page.all("img")) == 1
    assert "The first 2 of 4" in page.words


def test_a_damaged_table_is_named(tmp_path):
    write_results(tmp_path, ["n1"])
    (tmp_path / "analyses/b/sets/n1/plants.parquet").write_bytes(b"no table")
    with pytest.raises(StoreError, match=r"b/sets/n1/plants.parquet: cannot be read as a table"):
        compare(tmp_path)


def test_analyses_that_are_not_there_are_named(tmp_path):
    write_results(tmp_path, ["n1"])
    with pytest.raises(InputError, match=r"analyses/x: no such analysis \(a, b\)"):
        find_sets(tmp_path, "a", "x")
    with pytest.raises(InputError, match="are one analysis"):
        find_sets(tmp_path, "a", "a")


def test_settings_that_differ():
    a = {"model": "m", "segment": {"x": 1, "y": None}}
    b = {"model": "m", "segment": {"x": 1, "y": 2}, "note": "new"}
    assert list(differing_settings(a, b)) == [("segment.y", "", "2"), ("note", "", "new")]
