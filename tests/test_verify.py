"""Damaged stores are found and named, and what was made from them goes with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phenopipe.errors import StoreError
from phenopipe.store import create_array, create_store
from phenopipe.verify import ARRAYS, find_damage, remove_damaged

STORES = {
    "crops/n1/0000.zarr": "crops",
    "crops/n1/0001.zarr": "crops",
    "crops/n[1]/0000.zarr": "crops",
    "predictions/net/n1/0000.zarr": "predictions",
    "predictions/net/n1/0001.zarr": "predictions",
    "predictions/other/n1/0000.zarr": "predictions",
    "predictions/net/n[1]/0000.zarr": "predictions",
    "analyses/one/sets/n1/labels.zarr": "labels",
    "analyses/two/sets/n1/labels.zarr": "labels",
    "analyses/one/sets/n[1]/labels.zarr": "labels",
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two sets, two models, two analyses; some crops are black, as unreadable ones are."""
    values = np.random.default_rng(0).integers(0, 100, (5, 16, 16)).astype(np.uint8)
    values[[1, 3]] = 0
    for name, kind in STORES.items():
        with create_store(tmp_path / name, kind) as group:
            for array in ARRAYS[kind]:
                create_array(group, array, values.shape, np.uint8)[:] = values
    return tmp_path


def chunk(results: Path, store: str, array: str) -> Path:
    (path,) = [p for p in (results / store / array).rglob("*") if p.is_file() and p.suffix == ""]
    return path


def left(results: Path) -> set[str]:
    return {name for name in STORES if (results / name).exists()}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[40] ^= 255
    path.write_bytes(content)


def test_whole_stores(results: Path) -> None:
    assert find_damage(results) == []


def test_no_results(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no folder of results"):
        find_damage(tmp_path / "results")


@pytest.mark.parametrize(
    ("store", "gone"),
    [
        (
            "crops/n1/0000.zarr",
            {name for name in STORES if "n1" in name and "0001" not in name},
        ),
        (
            "predictions/net/n1/0001.zarr",
            {name for name in STORES if "sets/n1" in name} | {"predictions/net/n1/0001.zarr"},
        ),
        ("analyses/one/sets/n1/labels.zarr", {"analyses/one/sets/n1/labels.zarr"}),
        (
            "crops/n[1]/0000.zarr",
            {name for name in STORES if "n[1]" in name},
        ),
    ],
)
def test_what_depends_on_a_damaged_store_goes_with_it(
    results: Path, store: str, gone: set[str]
) -> None:
    flip(chunk(results, store, ARRAYS[STORES[store]][0]))
    (damage,) = find_damage(results)
    assert damage.store == results / store
    assert f"{store}/{ARRAYS[STORES[store]][0]}: crop 0 is damaged" in damage.reason
    remove_damaged(results, damage)
    assert left(results) == set(STORES) - gone
    assert find_damage(results) == []


@pytest.mark.parametrize("array", ARRAYS["predictions"])
def test_every_array_is_read(results: Path, array: str) -> None:
    flip(chunk(results, "predictions/net/n1/0000.zarr", array))
    (damage,) = find_damage(results)
    assert array in damage.reason


def test_lost_files(results: Path) -> None:
    chunk(results, "crops/n1/0000.zarr", "rgb").unlink()
    (results / "predictions/net/n1/0001.zarr/zarr.json").unlink()
    (results / "analyses/two/sets/n1/labels.zarr/window/zarr.json").write_text("{")
    crops, predictions, labels = find_damage(results)
    assert "is lost" in crops.reason or "is missing" in crops.reason
    assert "no readable Zarr store" in predictions.reason
    assert "window" in labels.reason
