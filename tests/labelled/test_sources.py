"""Sources: what is kept back and stays so, and all that is wrong at once."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from labelled_scenes import label_map, picture, save, save_pair

from phenopipe.config import DataSettings, check_block
from phenopipe.errors import ConfigError, InputError
from phenopipe.labelled import check_sources, digest_sources, open_sources
from phenopipe.labelled.sources import is_kept_back

SYNTHETIC = DataSettings(kind="synthetic")


def folder(path: Path, share: float = 0.5, **settings) -> DataSettings:
    return DataSettings(kind="folder", path=str(path), validation_share=share, **settings)


def names(pictures) -> set[str]:
    return {picture.name for picture in pictures}


def test_kept_back_are_about_the_share_and_a_larger_share_keeps_them() -> None:
    all_names = [f"plant{number:03}" for number in range(2000)]
    kept = {share: {n for n in all_names if is_kept_back(n, share)} for share in (0, 0.15, 0.4)}
    assert not kept[0]
    assert 0.12 < len(kept[0.15]) / 2000 < 0.18
    assert kept[0.15] < kept[0.4]


def test_added_pictures_move_no_other(tmp_path: Path) -> None:
    for number in range(6):
        save_pair(tmp_path, f"p{number}")
    (before,) = open_sources([folder(tmp_path)])
    for number in range(6, 12):
        save_pair(tmp_path, f"p{number}")
    (after,) = open_sources([folder(tmp_path)])
    assert names(before.training) < names(after.training)
    assert names(before.validation) < names(after.validation)
    assert not names(after.training) & names(after.validation)
    assert len(after.training) + len(after.validation) == 12


def test_where_a_set_lies_changes_nothing(tmp_path: Path) -> None:
    for place in ("here", "there"):
        for number in range(8):
            save_pair(tmp_path / place / "A1", f"plant{number:03}")
    here, there = (
        open_sources([DataSettings(kind="cvppp", path=str(path), validation_share=0.5)])
        for path in (tmp_path / "here", tmp_path / "there" / "A1")
    )
    assert names(here[0].validation) == names(there[0].validation)
    assert digest_sources(here) == digest_sources(there)


def test_the_digest_changes_with_any_label(tmp_path: Path) -> None:
    for number in range(4):
        save_pair(tmp_path, f"p{number}")
    sources = open_sources([folder(tmp_path), SYNTHETIC])
    first = digest_sources(sources)
    save(tmp_path / "p2_label.png", label_map()[:, ::-1].copy())
    assert digest_sources(sources) != first
    assert digest_sources(open_sources([SYNTHETIC])) == ""


def test_sources_of_one_kind_are_numbered(tmp_path: Path) -> None:
    for place in ("a", "b"):
        for number in range(6):
            save_pair(tmp_path / place, f"p{number}")
    data = [folder(tmp_path / "a", weight=2), SYNTHETIC, folder(tmp_path / "b")]
    sources = open_sources(data)
    assert [source.name for source in sources] == ["folder 1", "synthetic", "folder 2"]
    assert [source.weight for source in sources] == [2, 1, 1]


def test_a_picture_in_two_sources_is_refused(tmp_path: Path) -> None:
    save_pair(tmp_path, "a")
    twice = [folder(tmp_path, 0), folder(tmp_path, 0, images="*_rgb.png"), SYNTHETIC]
    with pytest.raises(InputError, match=r"a_rgb\.png: is in two sources, folder 1 and folder 2"):
        open_sources(twice)


def test_a_score_needs_pictures_and_so_does_training(tmp_path: Path) -> None:
    save_pair(tmp_path, "a")
    with pytest.raises(InputError, match="no picture is kept back"):
        open_sources([folder(tmp_path, 0)])
    with pytest.raises(InputError, match="folder: all its pictures are kept back"):
        open_sources([folder(tmp_path, 0.9999999), SYNTHETIC])


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_sources([folder(tmp_path / "x"), folder(tmp_path / "y"), SYNTHETIC])
    assert len(caught.value.problems) == 2
    for number in range(3):
        save_pair(tmp_path, f"p{number}")
    save(tmp_path / "p0_label.png", label_map()[:-1])
    save(tmp_path / "p1_label.png", picture(label_map()))
    (tmp_path / "p2_rgb.png").write_bytes(b"")
    sources = open_sources([folder(tmp_path, 0), SYNTHETIC])
    with pytest.raises(InputError) as caught:
        check_sources(sources)
    first, second, third = caught.value.problems
    assert "p0_label.png: is 48x39 px" in first
    assert "p1_label.png: has 3 channels" in second
    assert "p2_rgb.png: file is empty" in third


def test_many_problems_are_counted(tmp_path: Path) -> None:
    for number in range(25):
        save_pair(tmp_path, f"p{number:02}")
        (tmp_path / f"p{number:02}_rgb.png").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        check_sources(open_sources([folder(tmp_path, 0), SYNTHETIC]))
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "... and 5 more problems"


def test_the_log_counts_pictures_and_slips(tmp_path: Path, caplog) -> None:
    labels = label_map()
    labels[0, 0], labels[39, :3] = 77, 200
    save_pair(tmp_path, "a", labels)
    save_pair(tmp_path, "b")
    with caplog.at_level(logging.INFO):
        check_sources(open_sources([folder(tmp_path, 0), SYNTHETIC]))
    assert "folder: 2 pictures to learn from, 0 kept back" in caplog.text
    assert "folder: 2 leaves of fewer than 5 px are left out" in caplog.text
    assert "folder: no picture is kept back, so it does not count at the gate" in caplog.text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"kind": "cvppp"}, "path is missing: kind cvppp needs it"),
        ({"kind": "synthetic", "path": "x"}, "path is no key of kind synthetic"),
        ({"kind": "coco", "path": "x", "labels": "*.png"}, "labels is no key of kind coco"),
        ({"kind": "folder", "path": "x", "images": "rgb.png"}, "needs exactly one"),
        ({"kind": "folder", "path": "x", "weight": 0}, "weight: .*greater than 0"),
        ({"kind": "zarr"}, "kind: .*'synthetic', 'cvppp', 'folder' or 'coco'"),
        ({}, "kind: is missing"),
    ],
)
def test_settings_that_do_not_fit_are_refused(data: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_block(DataSettings, data, "test")


def test_a_written_block_reads_back() -> None:
    for data in (SYNTHETIC, folder(Path("x"), images="*.png")):
        assert check_block(DataSettings, data.model_dump(), "test") == data


@pytest.mark.data
def test_a_real_series_is_read(data_folder: Path) -> None:
    series = folder(data_folder / "leaf_series_plant17", 0, images="*_rgb.jpg")
    (source, _) = open_sources([series, SYNTHETIC])
    leaves = [int(picture.read().labels.max()) for picture in source.training]
    assert len(leaves) == 12
    assert np.sum(leaves) == 100
