"""Pictures into a folder: tables, label maps, overlays, and what happens to bad pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from green_plants import draw_pot, write_picture

from phenopipe.config import PotLayout
from phenopipe.errors import InputError, StoreError
from phenopipe.measure_folder import measure_folder
from phenopipe.measurement import Measurer
from phenopipe.tabulate import read_table

torch.set_num_threads(1)
SIDE = 96


@pytest.fixture(scope="module")
def measurer(green_model_file) -> Measurer:
    return Measurer.load(str(green_model_file), crop_size=SIDE)


@pytest.fixture
def pots(tmp_path: Path) -> list[Path]:
    """Three pictures of 3, 0 and 2 leaves and of different sizes."""
    rgb = [draw_pot(SIDE, 3), draw_pot(SIDE, 0), draw_pot(2 * SIDE, 2)]
    return [
        write_picture(tmp_path / "night 1" / name, picture)
        for name, picture in zip(["a.png", "b.tif", "c.png"], rgb, strict=True)
    ]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def read_labels(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_everything_is_written(measurer, pots, out) -> None:
    summary = measure_folder(measurer, pots, out)
    assert (summary.ok, summary.flagged, summary.failed) == (2, 1, 0)
    tables = [f"{t}.{e}" for t in ("leaves", "plants") for e in ("csv", "parquet", "schema.json")]
    pictures = [f"labels/{n}.png" for n in "abc"] + [f"overlays/{n}.jpg" for n in "abc"]
    assert files_below(out) == sorted(tables + pictures)
    plants = pd.read_csv(out / "plants.csv")
    assert plants["image"].tolist() == [str(path) for path in pots]
    assert plants["plant_id"].tolist() == ["a-1", "b-1", "c-1"]
    assert plants["leaf_count"].tolist() == [3, 0, 2]
    about = json.loads((out / "plants.schema.json").read_text())["about"]
    assert about["model_sha256"] == measurer.provenance.model_sha256


def test_label_maps_have_the_pictures_size_and_the_tables_leaves(measurer, pots, out) -> None:
    measure_folder(measurer, pots, out)
    leaves = pd.read_csv(out / "leaves.csv")
    for path, side in zip(pots, [SIDE, SIDE, 2 * SIDE], strict=True):
        labels = read_labels(out / "labels" / f"{path.stem}.png")
        assert labels.dtype == np.uint16
        assert labels.shape == (side, side)
        own = leaves[leaves["image"] == str(path)]
        assert np.unique(labels[labels > 0]).tolist() == own["leaf_id"].tolist()
        overlay = cv2.imread(str(out / "overlays" / f"{path.stem}.jpg"))
        assert overlay.shape == (side, side, 3)
        background = overlay[labels == 0].mean(axis=0)
        np.testing.assert_allclose(background, (70, 80, 90), atol=6)  # blue, green, red of soil


def test_a_bad_picture_costs_no_other(measurer, pots, out) -> None:
    pots[1].write_bytes(b"")
    summary = measure_folder(measurer, pots, out)
    assert (summary.ok, summary.failed) == (2, 1)
    assert [(f.image, f.reason) for f in summary.failures] == [
        (str(pots[1]), "file is empty (0 bytes)")
    ]
    plants = read_table(out / "plants.csv")
    assert plants["qc_flags"].fillna("").tolist() == ["", "unreadable", ""]
    assert plants["leaf_count"].isna().tolist() == [False, True, False]
    assert [path.name for path in sorted((out / "labels").iterdir())] == ["a.png", "c.png"]


def test_no_picture_at_all(measurer, out) -> None:
    with pytest.raises(InputError, match="give at least one picture"):
        measure_folder(measurer, [], out)


def test_bad_pictures_alone_are_rows_and_an_error(measurer, pots, out) -> None:
    for path in pots:
        path.write_bytes(b"text")
    with pytest.raises(InputError) as caught:
        measure_folder(measurer, pots, out)
    reason = "not a JPEG, PNG or TIFF picture"
    assert list(caught.value.problems) == [f"{path}: {reason}" for path in pots]
    assert pd.read_csv(out / "plants.csv")["qc_flags"].tolist() == ["unreadable"] * 3
    assert pd.read_csv(out / "leaves.csv").empty


def test_an_unreadable_tray_has_a_row_a_pot_and_one_line(green_model_file, pots, out) -> None:
    boxes = PotLayout(boxes=[(0, 0, 48, 96), (48, 0, 96, 96)])
    measurer = Measurer.load(str(green_model_file), crop_size=SIDE, pots=boxes)
    pots[0].write_bytes(b"")
    with pytest.raises(InputError) as caught:
        measure_folder(measurer, pots[:1], out)
    assert len(caught.value.problems) == 1
    assert pd.read_csv(out / "plants.csv")["plant_id"].tolist() == ["a-1", "a-2"]


def test_a_second_run_replaces_its_files_and_leaves_others(measurer, pots, out) -> None:
    measure_folder(measurer, pots, out)
    own = [write_picture(out / "labels" / "mine.png", draw_pot(SIDE)), out / "notes.txt"]
    own[1].write_text("mine")
    write_picture(pots[0], draw_pot(SIDE, 1))
    pots[2].write_bytes(b"")
    measure_folder(measurer, [pots[0], pots[2]], out)
    assert read_labels(out / "labels" / "a.png").max() == 1
    assert len(pd.read_csv(out / "plants.csv")) == 2
    assert not (out / "labels" / "c.png").exists(), "a label map of a run that could read it"
    assert not (out / "overlays" / "c.jpg").exists()
    assert (out / "labels" / "b.png").exists(), "what this run does not know is left alone"
    assert all(path.exists() for path in own)


def test_one_stem_in_two_folders(measurer, tmp_path, out) -> None:
    paths = [write_picture(tmp_path / n / "a.png", draw_pot(SIDE, 1)) for n in ("n1", "n2")]
    measure_folder(measurer, paths, out)
    assert [p.name for p in sorted((out / "labels").iterdir())] == ["n1_a.png", "n2_a.png"]
    assert pd.read_csv(out / "plants.csv")["plant_id"].tolist() == ["n1_a-1", "n2_a-1"]


def test_a_hostile_name_stays_in_its_place(measurer, tmp_path, out) -> None:
    path = write_picture(tmp_path / "n" / "=cmd|' $(x)\n'!A0.png", draw_pot(SIDE, 1))
    measure_folder(measurer, [path], out)
    assert (out / "labels" / path.name).is_file()
    table = pd.read_csv(out / "plants.csv")
    assert table["image"].tolist() == [str(path)]
    assert table["plant_id"].tolist() == [f"'{path.stem}-1"], "no formula for a spreadsheet"


def test_more_leaves_than_a_png_can_number(measurer, pots, out, monkeypatch, caplog) -> None:
    monkeypatch.setattr("phenopipe.measure_folder.MOST_LABELS", 2)
    measure_folder(measurer, pots, out)
    assert [p.name for p in sorted((out / "labels").iterdir())] == ["b.png", "c.png"]
    assert "labels/a.png: not written, there are more than 2 leaves" in caplog.text
    assert pd.read_csv(out / "plants.csv")["leaf_count"].tolist() == [3, 0, 2]


def test_a_picture_too_long_for_a_jpeg(measurer, tmp_path, out, caplog) -> None:
    path = write_picture(tmp_path / "long.png", np.zeros((20, 65_600, 3), np.uint8))
    measure_folder(measurer, [path], out)
    assert read_labels(out / "labels" / "long.png").shape == (20, 65_600)
    assert not (out / "overlays").exists()
    assert "overlays/long.jpg: not written" in caplog.text


def test_a_missing_picture_stops_before_anything_is_written(measurer, pots, out) -> None:
    with pytest.raises(InputError, match=r"none\.png: no such file"):
        measure_folder(measurer, [*pots, out / "none.png"], out)
    assert not out.exists()


def test_a_folder_that_cannot_be_made(measurer, pots, out) -> None:
    out.write_text("a file")
    with pytest.raises(StoreError, match=r"out/labels/a\.png: cannot be written"):
        measure_folder(measurer, pots, out)
    assert out.read_text() == "a file"


@pytest.mark.data
def test_real_pictures(data_folder, tmp_path) -> None:
    images = sorted((data_folder / "leaf_series_plant17").glob("*_rgb.jpg"))
    measure_folder(Measurer.load(), images[:2], tmp_path)
    assert len(pd.read_csv(tmp_path / "plants.csv")) == 2
    for path in images[:2]:
        labels = read_labels(tmp_path / "labels" / f"{path.stem}.png")
        assert labels.shape == cv2.imread(str(path)).shape[:2]


@pytest.mark.parametrize("name", ["labels/a.png", "overlays/a.jpg", "plants.csv"])
def test_a_picture_is_never_overwritten(measurer, out, monkeypatch, name) -> None:
    picture = write_picture(out / "drawn.png", draw_pot(SIDE, 2))
    target = out / name
    target.parent.mkdir(exist_ok=True)
    picture.rename(target)
    content = target.read_bytes()
    monkeypatch.chdir(out)
    with pytest.raises(InputError, match=f"^{name}: would be overwritten") as caught:
        measure_folder(measurer, [Path(name)], Path())
    assert len(caught.value.problems) == 1
    assert files_below(out) == [name]
    assert target.read_bytes() == content
