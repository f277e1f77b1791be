"""A shard of pictures becomes a store and a table, whatever the pictures are."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from phenopipe.config import IngestSettings
from phenopipe.crop_table import read_crop_table
from phenopipe.crop_writer import CropWriter
from phenopipe.errors import InputError, PassingError, StoreError
from phenopipe.ingest import ingest_shard
from phenopipe.plan import Roster, RosterRow, write_roster
from phenopipe.store import open_array, open_store

SETTINGS = IngestSettings(crop_size=64)
RNG = np.random.default_rng(5)
COLUMNS = [
    *("crop_id", "image", "pot", "camera", "image_height", "image_width"),
    *("m00", "m01", "m02", "m10", "m11", "m12"),
    *("valid_left", "valid_top", "valid_right", "valid_bottom"),
    *("mm_per_px", "scale_source", "status", "reason", "brightness", "sharpness"),
]


def noise(height=50, width=80):
    return RNG.integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "images"
    (folder / "n").mkdir(parents=True)
    return folder


@pytest.fixture
def ingest(tmp_path, root):
    """Plan the named images as shard 0000, ingest it, and return crops and table."""

    def run(*names, settings=SETTINGS, fields=(), out=None, **options):
        rows = [RosterRow(f"n/{name}", "1-1", "0000", fields=dict(fields)) for name in names]
        write_roster(Roster("e", "n", tuple(rows)), tmp_path / "n.roster.tsv")
        out = out or tmp_path / "crops"
        store, table = out / "0000.zarr", out / "0000.tsv"
        ingest_shard(tmp_path / "n.roster.tsv", "0000", root, store, table, settings, **options)
        return np.asarray(open_array(open_store(store), "rgb")[:]), read_crop_table(table)

    return run


def test_pictures_decoded_side_by_side_keep_their_order(ingest, root, tmp_path):
    names = [f"{number}.png" for number in range(9)]
    for number, name in enumerate(names):
        Image.fromarray(noise(400 - 40 * number, 300)).save(root / "n" / name)
    (root / "n/4.png").write_bytes(b"no picture")
    crops, table = ingest(*names, out=tmp_path / "one")
    more, same_table = ingest(*names, out=tmp_path / "four", threads=4)
    pd.testing.assert_frame_equal(table, same_table)
    assert table["status"].tolist().count("unreadable") == 1
    np.testing.assert_array_equal(crops, more)


def test_threads_do_not_trip_over_the_limit_of_pillow(ingest, root, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    opened = Image.open

    def open_slowly(*arguments, **options):
        time.sleep(0.002)
        return opened(*arguments, **options)

    names = [f"{number}.png" for number in range(24)]
    for name in names:
        Image.fromarray(noise()).save(root / "n" / name)
    monkeypatch.setattr(Image, "open", open_slowly)
    _, table = ingest(*names, threads=4)
    assert table["reason"].fillna("").eq("").all()
    assert Image.MAX_IMAGE_PIXELS == 10


def test_crops_and_table_say_the_same(ingest, root, tmp_path):
    image = noise(100, 128)
    Image.fromarray(image).save(root / "n/a.png")
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(root / "n/b.png")
    crops, table = ingest("a.png", "b.png", fields={"camera": "C1", "pot": "D3"}.items())
    assert crops.shape == (2, 64, 64, 3)
    assert table.columns.tolist() == COLUMNS
    assert table["crop_id"].tolist() == ["n/a.png#D3", "n/b.png#D3"]
    assert table["status"].tolist() == ["ok", "ok"]
    blocks = image.reshape(50, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(crops[0, 7:57] - blocks).max() <= 0.5
    row = table.iloc[0]
    assert (row.image, row.camera, row.image_height, row.image_width) == ("n/a.png", "C1", 100, 128)
    assert (row.valid_left, row.valid_top, row.valid_right, row.valid_bottom) == (0, 7, 64, 57)
    assert row[["m00", "m01", "m02", "m10", "m11", "m12"]].tolist() == [2, 0, 0.5, 0, 2, -13.5]
    assert np.isnan(row.mm_per_px)
    assert row.scale_source == ""
    attributes = open_store(tmp_path / "crops/0000.zarr").attrs.asdict()
    assert attributes["format"] == "phenopipe-crops-1"
    assert attributes["crop_size"] == 64


def test_brightness_and_sharpness_leave_padding_out(ingest, root):
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(root / "n/flat.png")
    stripes = np.zeros((32, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    Image.fromarray(stripes).save(root / "n/stripes.png")
    _, table = ingest("flat.png", "stripes.png")
    assert table["brightness"].tolist() == [90, 100]
    # Laplacian of a row 200 0 200 0: -400 and 400 in turn, at the mirrored borders too.
    assert table["sharpness"].tolist() == [0, 400]


def test_pictures_at_fault_are_rows_with_a_reason_and_black_crops(ingest, root):
    Image.fromarray(noise()).save(root / "n/good.png")
    whole = (root / "n/good.png").read_bytes()
    (root / "n/cut.png").write_bytes(whole[: len(whole) // 2])
    (root / "n/empty.png").write_bytes(b"")
    (root / "n/text.png").write_text("no picture")
    Image.fromarray(noise(1, 1)).save(root / "n/tiny.png")
    os.mkfifo(root / "n/pipe.png")
    (root / "n/far.png").symlink_to("/etc/hostname")
    (root / "n/loop.png").symlink_to("loop.png")
    names = ["cut", "empty", "far", "good", "gone", "loop", "pipe", "text", "tiny"]
    crops, table = ingest(*(f"{name}.png" for name in names))
    found = dict(zip(names, table["reason"], strict=True))
    assert found.pop("cut").startswith("cannot be decoded (")
    assert found == {
        "empty": "file is empty (0 bytes)",
        "far": "path leaves plan.image_root",
        "good": "",
        "gone": "file is gone",
        "loop": "cannot be decoded (Too many levels of symbolic links)",
        "pipe": "not a regular file",
        "text": "not a JPEG, PNG or TIFF picture",
        "tiny": "1x1 px: smaller than min_side_px (16)",
    }
    good = names.index("good")
    assert table["status"].tolist() == ["ok" if n == "good" else "unreadable" for n in names]
    assert crops[good].any()
    assert not np.delete(crops, good, axis=0).any()
    bad = table.drop(index=good)
    assert bad[["m00", "mm_per_px", "brightness", "sharpness"]].isna().all(axis=None)
    assert (bad[["image_height", "valid_right"]] == 0).all(axis=None)
    assert bad["pot"].tolist() == ["1"] * 8


def test_pictures_of_a_folder_that_is_not_mounted_are_no_rows(ingest, tmp_path):
    with pytest.raises(InputError, match="all 2 pictures of this shard are gone"):
        ingest("1.png", "2.png")
    assert not (tmp_path / "crops/0000.zarr").exists()
    assert not (tmp_path / "crops/0000.tsv").exists()


@pytest.mark.parametrize("calls", [["open"], ["open", "exists"]])
def test_a_picture_that_cannot_be_read_for_now_is_no_row(
    ingest, root, tmp_path, monkeypatch, calls
):
    for name in ("1.png", "2.png"):
        Image.fromarray(noise()).save(root / "n" / name)

    def failing(call):
        def fail(path, *arguments, **options):
            if path.name == "1.png":
                raise OSError(errno.ESTALE, "Stale file handle", str(path))
            return call(path, *arguments, **options)

        return fail

    with monkeypatch.context() as away:
        for call in calls:
            away.setattr(Path, call, failing(getattr(Path, call)))
        with pytest.raises(PassingError) as caught:
            ingest("1.png", "2.png")
    assert caught.value.problems == (f"{root}/n/1.png: cannot be read for now (Stale file handle)",)
    assert not list((tmp_path / "crops").iterdir())
    assert ingest("1.png", "2.png")[1]["status"].tolist() == ["ok", "ok"]


@pytest.mark.parametrize("escape", ["../secret.png", "n/../../secret.png"])
def test_a_roster_cannot_lead_out_of_the_root(tmp_path, root, escape):
    Image.fromarray(noise()).save(tmp_path / "secret.png")
    write_roster(Roster("e", "n", (RosterRow(escape, "1-1", "0000"),)), tmp_path / "r.tsv")
    table = tmp_path / "0000.tsv"
    ingest_shard(tmp_path / "r.tsv", "0000", root, tmp_path / "0000.zarr", table, SETTINGS)
    assert read_crop_table(table)["reason"].tolist() == ["path leaves plan.image_root"]


def test_each_pot_of_a_layout_is_a_crop(ingest, root):
    image = np.zeros((64, 128, 3), np.uint8)
    image[:, 64:] = 255
    Image.fromarray(image).save(root / "n/tray.png")
    pots = {"rows": 1, "cols": 2, "corners": [[0, 0], [128, 0], [128, 64], [0, 64]]}
    settings = IngestSettings(crop_size=64, cameras={"default": {"mm_per_px": 0.2, "pots": pots}})
    crops, table = ingest("gone.png", "tray.png", settings=settings)
    assert table["pot"].tolist() == ["A1", "A2", "A1", "A2"]
    assert table["status"].tolist() == ["unreadable"] * 2 + ["ok"] * 2
    assert crops[2:].mean(axis=(1, 2, 3)).tolist() == [0, 255]
    assert table["mm_per_px"][2] == 0.2
    assert table["scale_source"][2] == "camera"
    assert table["m02"].tolist()[2:] == [0, 64]


def test_a_pot_outside_the_image_is_unreadable_and_the_others_are_not(ingest, root):
    Image.fromarray(noise(60, 60)).save(root / "n/a.png")
    pots = {"boxes": [[0, 0, 40, 40], [50, 0, 90, 40]]}
    settings = IngestSettings(crop_size=64, cameras={"default": {"pots": pots}})
    _, table = ingest("a.png", settings=settings)
    assert table["status"].tolist() == ["ok", "unreadable"]
    assert table["reason"][1] == "pot is 10x40 px within the image: see pots and min_side_px"


def test_odd_names_survive(ingest, root):
    names = ["a b.png", "$(x).png", "q\"'.png", "two\nlines\t.png", "Blätter花.png"]
    for name in names:
        Image.fromarray(noise()).save(root / "n" / name)
    _, table = ingest(*names)
    assert table["image"].tolist() == [f"n/{name}" for name in names]
    assert (table["status"] == "ok").all()


def test_a_wide_picture_is_ingested(ingest, root):
    Image.fromarray(noise(40, 20_000)).save(root / "n/wide.png")
    _, table = ingest("wide.png")
    assert table["status"].tolist() == ["ok"]
    assert table["image_width"].tolist() == [20_000]


def test_the_digest_is_checked_and_stored(ingest, root, tmp_path):
    Image.fromarray(noise()).save(root / "n/a.png")
    roster = Roster("e", "n", (RosterRow("n/a.png", "1-1", "0000"),))
    digest = roster.shard_digest("0000")
    ingest("a.png", expected_digest=digest)
    assert open_store(tmp_path / "crops/0000.zarr").attrs["shard_digest"] == digest
    newer = replace(roster, rows=(replace(roster.rows[0], version="2-2"),))
    with pytest.raises(InputError, match="shard 0000 was planned anew meanwhile; run again"):
        ingest("a.png", expected_digest=newer.shard_digest("0000"))


def test_progress_counts_pictures(ingest, root, caplog):
    caplog.set_level("INFO", "phenopipe.progress")
    (root / "n/x.png").touch()
    ingest("x.png", "y.png")
    assert "ingest: 2 of 2 done in" in caplog.text


def test_a_store_is_few_files(ingest, root, tmp_path):
    Image.fromarray(noise()).save(root / "n/a.png")
    for number in range(30):
        os.link(root / "n/a.png", root / f"n/{number}.png")
    ingest(*(f"{number}.png" for number in range(30)))
    files = [path for path in (tmp_path / "crops").rglob("*") if path.is_file()]
    assert len(files) <= 5


def test_a_full_disk_is_one_line_and_leaves_nothing(ingest, root, small_disk):
    disk = small_disk(256)
    names = [f"{n}.png" for n in range(60)]
    for name in names:
        Image.fromarray(noise(64, 64)).save(root / "n" / name)
    with pytest.raises(StoreError) as caught:
        ingest(*names, out=disk / "crops")
    assert str(caught.value) == (
        f"{disk}/crops/0000.zarr: cannot be written (no space left on device)"
    )
    assert [path for path in disk.rglob("*") if path.name != "crops"] == []


def test_a_folder_that_cannot_be_made_is_named(ingest, root, tmp_path):
    Image.fromarray(noise()).save(root / "n/a.png")
    (tmp_path / "blocked").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match=r"blocked/0000\.zarr: cannot be written"):
        ingest("a.png", out=tmp_path / "blocked")


def test_a_failed_run_leaves_no_mark_of_completion(ingest, root, tmp_path, monkeypatch):
    Image.fromarray(noise()).save(root / "n/a.png")
    ingest("a.png")

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CropWriter, "append", full)
    with pytest.raises(StoreError, match="no space left"):
        ingest("a.png")
    assert not (tmp_path / "crops/0000.tsv").exists()
    assert not list((tmp_path / "crops").glob(".*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("sharpness", "sharp"), "it lacks sharpness"),
        (lambda text: text.replace("\t50\t", "\tfifty\t"), "a number is damaged"),
    ],
)
def test_a_damaged_table_is_named(ingest, root, tmp_path, change, message):
    Image.fromarray(noise()).save(root / "n/a.png")
    ingest("a.png")
    path = tmp_path / "crops/0000.tsv"
    path.write_text(change(path.read_text()))
    with pytest.raises(StoreError, match=message) as caught:
        read_crop_table(path)
    assert str(path) in str(caught.value)


def test_pandas_alone_reads_the_table(ingest, root, tmp_path):
    Image.fromarray(noise()).save(root / 'n/a"\n.png')
    _, table = ingest('a"\n.png')
    plain = pd.read_csv(tmp_path / "crops/0000.tsv", sep="\t")
    assert plain["image"].tolist() == table["image"].tolist()
    assert plain["m02"].tolist() == table["m02"].tolist()


@pytest.mark.data
def test_real_pictures_are_ingested(tmp_path, data_folder):
    images = sorted((data_folder / "is1_rep38").glob("*_rgb.png"))[:3]
    rows = tuple(RosterRow(f"is1_rep38/{path.name}", "1-1", "0000") for path in images)
    write_roster(Roster("e", "n", rows), tmp_path / "r.tsv")
    out = tmp_path / "0000.tsv"
    ingest_shard(
        tmp_path / "r.tsv", "0000", data_folder, tmp_path / "0000.zarr", out, IngestSettings()
    )
    table = read_crop_table(out)
    assert (table["status"] == "ok").all()
    assert table["brightness"].between(20, 80).all()
