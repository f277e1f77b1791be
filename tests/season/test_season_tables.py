from __future__ import annotations

import json

import pytest
from season_scenes import leaves_table, plant_row, plants_table, rosette

from phenopipe.config import SeasonSettings
from phenopipe.errors import StoreError
from phenopipe.season import season_tables, write_season
from phenopipe.tabulate import LEAVES, PLANTS, read_table, write_table
from phenopipe.tabulate.columns import Column


@pytest.fixture
def sets(tmp_path):
    """Two sets; the later one comes first by name, and has a column more."""
    extra = Column("replicate", "text", "From file names.")
    paths = {"plants": [], "leaves": []}
    for name, days in (("a_late", [3, 2]), ("b_early", [1, 0])):
        plants, leaves = rosette(days, leaves=4, seed=5, plastochron=0.0)
        plants.append(plant_row(None, plant="undated"))
        plants = [row | {"image_set": name} for row in plants]
        leaves = [row | {"image_set": name} for row in leaves]
        table = plants_table(plants)
        columns = PLANTS
        if name == "a_late":
            table["replicate"] = table["plant_id"]
            columns = (*PLANTS, extra)
        write_table(tmp_path / name / "plants.csv", table, columns)
        write_table(tmp_path / name / "leaves.csv", leaves_table(leaves), LEAVES)
        paths["plants"].append(tmp_path / name / "plants.csv")
        paths["leaves"].append(tmp_path / name / "leaves.csv")
    return paths


def test_all_rows_of_all_sets_in_time_order(tmp_path, sets):
    write_season(**sets, settings=SeasonSettings(), out=tmp_path / "season")
    plants = read_table(tmp_path / "season" / "plants.csv")
    assert plants["image"].tolist()[:4] == [f"p1-{day}.png" for day in range(4)]
    assert plants["plant_id"].tolist()[4:] == ["undated"] * 2
    assert plants["replicate"].notna().sum() == 3
    leaves = read_table(tmp_path / "season" / "leaves.csv")
    assert len(leaves) == 16 and leaves["track_id"].nunique() == 4
    assert len(read_table(tmp_path / "season" / "growth.csv")) == 3
    assert len(read_table(tmp_path / "season" / "tracks.csv")) == 4


@pytest.mark.parametrize("name", ["plants", "leaves", "growth", "tracks"])
def test_schemas_fit_tables(tmp_path, sets, name):
    write_season(**sets, settings=SeasonSettings(), out=tmp_path)
    schema = json.loads((tmp_path / f"{name}.schema.json").read_text())
    header = (tmp_path / f"{name}.csv").read_text().splitlines()[0].split(",")
    assert [column["name"] for column in schema["columns"]] == header


def test_same_sets_give_the_same_bytes(tmp_path, sets):
    for out in ("one", "two"):
        write_season(**sets, settings=SeasonSettings(), out=tmp_path / out)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_missing_table_is_named(tmp_path, sets):
    sets["plants"][0].with_suffix(".parquet").unlink()
    with pytest.raises(StoreError, match="a_late"):
        write_season(**sets, settings=SeasonSettings(), out=tmp_path / "season")
    assert not (tmp_path / "season").exists()


def test_season_without_a_single_row():
    season = season_tables(plants_table([]), leaves_table([]), SeasonSettings())
    assert all(table.empty for table in vars(season).values())
