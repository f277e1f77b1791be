"""A joint shard holds crops of several sets; each set sees its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phenopipe.config import Config, check_config
from phenopipe.errors import InputError
from phenopipe.files import size_of
from phenopipe.ingest import borrow_crops, ingest_shard
from phenopipe.ingest.cleaned import CropOrigin, clean_store
from phenopipe.own_rows import own_rows, read_places, stored_shards
from phenopipe.plan.rosters import Rosters
from phenopipe.report.costs import set_cost_files
from phenopipe.store import open_array, open_store
from phenopipe.store_attributes import is_cleaned
from phenopipe.sweep.sources import find_predictions
from phenopipe.tabulate.tabulate_set import read_crops

JOINT = "joint+000001"
KEYS = [f"n{number}" for number in range(8)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Eight sets of two pictures, planned and cut; then one picture of n3 was replaced."""
    draw = np.random.default_rng(2)
    for key in KEYS:
        for number in range(2):
            path = tmp_path / f"images/{key}/{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draw.integers(0, 256, (40, 40, 3)).astype(np.uint8)).save(path)
    plan(tmp_path)
    cut(tmp_path, JOINT)
    replaced = tmp_path / "images/n3/1.png"
    Image.fromarray(draw.integers(0, 256, (40, 40, 3)).astype(np.uint8)).save(replaced)
    os.utime(replaced, (10**9, 10**9))
    return tmp_path


def config_of(project: Path) -> Config:
    plan = {"image_root": str(project / "images"), "settle_seconds": 0}
    return check_config({"plan": plan, "ingest": {"crop_size": 64}})


def plan(project: Path) -> Rosters:
    rosters = Rosters(config_of(project), project / "results/plan", scan=True)
    rosters.write()
    return rosters


def cut(project: Path, name: str) -> None:
    config = config_of(project)
    out = project / "results/crops" / name
    roster = project / f"results/plan/{name}.roster.tsv"
    root = config.plan.image_root
    ingest_shard(roster, "0000", root, out / "0000.zarr", out / "0000.tsv", config.ingest)


def pixels(store: Path) -> np.ndarray:
    return np.asarray(open_array(open_store(store, "crops"), "rgb")[:])


def tables(project: Path, key: str) -> tuple[list[Path], dict[str, str]]:
    shards, places = stored_shards(project / "results", key)
    return [project / f"results/crops/{shard}.tsv" for shard in shards], dict(places or {})


def test_each_set_sees_its_own_crops(project: Path) -> None:
    for number, key in enumerate(KEYS):
        (table,), places = tables(project, key)
        images = [f"{k}/{n}.png" for k in KEYS for n in range(2)]
        assert own_rows(table, images, places) == [2 * number, 2 * number + 1]
        assert read_crops([table], places)["image"].tolist() == [f"{key}/0.png", f"{key}/1.png"]
        assert read_places(project / f"results/plan/{key}.roster.tsv", [table]) == places


def test_a_replaced_picture_is_read_from_its_new_place_alone(project: Path) -> None:
    plan(project)
    cut(project, "n3")
    (joint, own), places = tables(project, "n3")
    assert (joint.parent.name, own.parent.name) == (JOINT, "n3")
    assert read_crops([joint, own], places)["image"].tolist() == ["n3/0.png", "n3/1.png"]
    assert own_rows(joint, ["n3/0.png", "n3/1.png"], places) == [0]
    assert own_rows(own, ["n3/1.png"], places) == [0]
    assert own_rows(own, ["n3/1.png"], None) == [0]


def test_without_a_roster_nobody_knows_whose_crops_they_are(project: Path) -> None:
    table = project / f"results/crops/{JOINT}/0000.tsv"
    with pytest.raises(InputError, match="holds crops of several image sets"):
        read_crops([table])


def test_a_joint_shard_is_told_from_inside_its_folder(project: Path, monkeypatch) -> None:
    (table,), places = tables(project, "n3")
    monkeypatch.chdir(table.parent)
    images = [f"{key}/{n}.png" for key in KEYS for n in range(2)]
    assert own_rows(table.name, images, places) == own_rows(table, images, places)


def test_a_set_that_was_made_by_commands_has_what_lies_there(project: Path) -> None:
    shutil.copytree(project / f"results/crops/{JOINT}", project / "results/crops/by_hand")
    assert stored_shards(project / "results", "by_hand") == (["by_hand/0000"], None)


def test_a_set_costs_its_share_of_a_joint_job(project: Path) -> None:
    plan(project)
    cut(project, "n3")
    shares = {}
    for key in ("n0", "n3"):
        paths, places = tables(project, key)
        files = set_cost_files(key, list(map(str, paths)), "net", "one", project, places)
        shares[key] = files.shares
    stem = project / "logs/ingest" / JOINT / "0000"
    store = project / f"results/predictions/net/{JOINT}/0000.zarr"
    assert [shares["n0"][path] for path in (stem, store)] == [2 / 16, 2 / 16]
    assert [shares["n3"][path] for path in (stem, store)] == [1 / 16, 1 / 16]
    assert project / "logs/ingest/n3/0000" not in shares["n3"]


def test_a_sweep_finds_sets_by_their_joint_shard(project: Path) -> None:
    (project / f"results/predictions/net/{JOINT}/0000.zarr").mkdir(parents=True)
    found = find_predictions(project / "results", "net", [])
    assert list(found.sets) == KEYS
    assert [table.parent.name for table, _ in found.crops] == [JOINT]
    two = find_predictions(project / "results", "net", ["n1", "n5"])
    assert set(two.places) == {f"{key}/{n}.png" for key in ("n1", "n5") for n in range(2)}
    with pytest.raises(InputError, match="has no predictions"):
        find_predictions(project / "results", "net", ["other"])


@pytest.fixture
def cleaned(project: Path) -> tuple[Path, np.ndarray]:
    """The joint store, cleaned while all pictures were as they were, and its crops."""
    replaced = project / "images/n3/1.png"
    shutil.rmtree(project / "results")
    rosters = plan(project)
    cut(project, JOINT)
    store = project / f"results/crops/{JOINT}/0000.zarr"
    before, config = pixels(store), config_of(project)
    origin = CropOrigin(
        str(project / f"results/plan/{JOINT}.roster.tsv"),
        "0000",
        rosters.shard_digest(JOINT, "0000"),
        config.plan.image_root,
        config.ingest.model_dump(mode="json"),
    )
    size = size_of(store)
    clean_store(store, origin)
    assert is_cleaned(store)
    assert size_of(store) < size / 5
    replaced.unlink()
    return store, before


def test_a_set_borrows_its_own_crops_whatever_became_of_others(
    project: Path, cleaned: tuple[Path, np.ndarray]
) -> None:
    store, before = cleaned
    with borrow_crops([store], tables(project, "n5")[1]) as (lent,):
        mine = pixels(lent)
    assert np.array_equal(mine[10:12], before[10:12])
    assert not mine[:10].any()
    assert not mine[12:].any()
    with (
        pytest.raises(InputError, match=r"n3/1\.png: is gone"),
        borrow_crops([store], tables(project, "n3")[1]),
    ):
        pass


def test_where_no_set_is_named_only_what_no_set_refers_to_may_be_missing(
    project: Path, cleaned: tuple[Path, np.ndarray]
) -> None:
    """Else `predict` would see black pictures, and their plants would be empty without a word."""
    store, before = cleaned
    with pytest.raises(InputError, match=r"n3/1\.png: is gone"), borrow_crops([store]):
        pass
    plan(project)
    with borrow_crops([store]) as (lent,):
        mine = pixels(lent)
    assert not mine[7].any()
    rest = [row for row in range(16) if row != 7]
    assert np.array_equal(mine[rest], before[rest])
