from __future__ import annotations

import csv
import json

import pandas as pd
import pytest

from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.errors import StoreError
from phenopipe.tabulate import read_table, summarize, tabulate_set

FILES = [
    "leaves.csv",
    "leaves.parquet",
    "leaves.schema.json",
    "plants.csv",
    "plants.parquet",
    "plants.schema.json",
]


@pytest.fixture
def inputs(tmp_path, images, crops, measurements, quality, provenance):
    dropped = images.iloc[:1].assign(image="night1/a_mask.png", status="dropped", reason="a mask")
    pd.concat([images, dropped]).to_csv(tmp_path / "plan.tsv", sep="\t", index=False)
    rows = [CropRow(camera="cam1", **row) for row in crops.to_dict("records")]
    for name, shard in (("000", rows[:2]), ("001", rows[2:])):
        write_crop_table(tmp_path / f"{name}.tsv", shard)
    measurements.to_parquet(tmp_path / "measurements.parquet")
    return {
        "plan": tmp_path / "plan.tsv",
        "crops": [tmp_path / "000.tsv", tmp_path / "001.tsv"],
        "measurements": tmp_path / "measurements.parquet",
        "plants_sheet": None,
        "quality": quality,
        "provenance": provenance,
    }


def test_writes_csv_parquet_and_schema(tmp_path, inputs):
    tabulate_set(**inputs, out=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    with (tmp_path / "out" / "plants.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["qc_flags"] for row in rows] == [
        "empty", "", "low_confidence;touches_edge", "damaged", "unreadable",
    ]  # fmt: skip
    assert rows[0]["timestamp"] == "2026-03-01T22:00:00+01:00"
    assert (rows[1]["leaf_area_mm2"], rows[1]["touches_edge"]) == ("25", "false")


@pytest.mark.parametrize("name", ["plants", "leaves"])
def test_schema_describes_each_column_of_both_files(tmp_path, inputs, name):
    tabulate_set(**inputs, out=tmp_path)
    schema = json.loads((tmp_path / f"{name}.schema.json").read_text(encoding="utf-8"))
    header = (tmp_path / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
    described = [column["name"] for column in schema["columns"]]
    assert header.split(",") == described == list(read_table(tmp_path / f"{name}.csv").columns)
    assert all(column["meaning"] for column in schema["columns"])
    assert schema["about"]["model"] == "small"
    terms = {column["name"]: column["term"] for column in schema["columns"]}
    expected = {"plants": ("leaf_count", "TO:0000241"), "leaves": ("area_px", "TO:0000540")}[name]
    assert terms[expected[0]] == expected[1]


def test_same_input_gives_the_same_bytes(tmp_path, inputs):
    for out in ("one", "two"):
        tabulate_set(**inputs, out=tmp_path / out)
        inputs["crops"].reverse()
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_parquet_keeps_types_and_apostrophes_are_for_csv_alone(tmp_path, inputs, images):
    images.assign(genotype="=1+1").to_csv(inputs["plan"], sep="\t", index=False)
    tabulate_set(**inputs, out=tmp_path)
    plants = read_table(tmp_path / "plants.csv")
    assert set(plants["genotype"]) == {"=1+1"}
    assert "'=1+1" in (tmp_path / "plants.csv").read_text()
    assert str(plants["leaf_count"].dtype) == "Int64"
    assert str(plants["touches_edge"].dtype) == "boolean"
    assert str(plants["leaf_area_px"].dtype) == "float64"
    summary = summarize(plants)
    assert (summary.ok, summary.flagged, summary.failed) == (1, 2, 2)


def test_set_without_any_image(tmp_path, inputs, images, crops, measurements):
    images[:0].to_csv(inputs["plan"], sep="\t", index=False)
    measurements[:0].to_parquet(inputs["measurements"])
    tabulate_set(**inputs | {"crops": []}, out=tmp_path)
    for name in ("plants", "leaves"):
        assert len((tmp_path / f"{name}.csv").read_text().splitlines()) == 1
        assert len(read_table(tmp_path / f"{name}.csv")) == 0


@pytest.mark.parametrize("which", ["plan", "measurements"])
def test_missing_and_damaged_inputs_are_named(tmp_path, inputs, which):
    inputs[which].write_bytes(b"\x00PAR1 no table")
    with pytest.raises(StoreError, match=inputs[which].name):
        tabulate_set(**inputs, out=tmp_path / "out")
    inputs[which].unlink()
    with pytest.raises(StoreError, match=inputs[which].name):
        tabulate_set(**inputs, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_reading_a_missing_table_or_column(tmp_path, inputs):
    with pytest.raises(StoreError, match=r"plants\.parquet"):
        read_table(tmp_path / "plants.csv")
    tabulate_set(**inputs, out=tmp_path)
    assert list(read_table(tmp_path / "plants.csv", ["pot", "image"]).columns) == ["pot", "image"]
    with pytest.raises(StoreError, match="beauty"):
        read_table(tmp_path / "plants.csv", ["pot", "beauty"])
