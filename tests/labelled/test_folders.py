"""Folders of pictures and label maps, the challenge's among them."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from labelled_scenes import label_map, picture, save, save_pair

from phenopipe.errors import InputError
from phenopipe.labelled import list_cvppp, list_folder


def test_pairs_are_sorted_and_read(tmp_path: Path) -> None:
    for name in ("b", "a", "10"):
        save_pair(tmp_path, name)
    pairs = list_folder(tmp_path)
    assert [pair.name for pair in pairs] == ["10", "a", "b"]
    found = pairs[1].read()
    assert np.array_equal(found.labels, label_map())
    assert np.array_equal(found.rgb, picture(label_map()))


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("photos/*.png", "masks/*.npy"),
        ("*.png", "*_label.npy"),
        ("x[1]_*.png", "*_l.npy"),
        ("./photos/*.png", "masks//./*.npy"),
    ],
)
def test_names_can_be_anything_with_one_star(tmp_path: Path, images: str, labels: str) -> None:
    for name in ("a", "b"):
        save(tmp_path / images.replace("*", name), picture(label_map()))
        save(tmp_path / labels.replace("*", name), label_map())
    assert [pair.name for pair in list_folder(tmp_path, images, labels)] == ["a", "b"]


def test_a_pattern_of_pictures_that_takes_label_maps_too(tmp_path: Path, caplog) -> None:
    save(tmp_path / "a.png", picture(label_map()))
    save(tmp_path / "a_label.png", label_map())
    save(tmp_path / "unlabelled.png", picture(label_map()))
    with caplog.at_level(logging.INFO):
        pairs = list_folder(tmp_path, "*.png", "*_label.png")
    assert [(pair.name, pair.image.name) for pair in pairs] == [("a", "a.png")]
    assert "1 pictures without a label map are left out" in caplog.text


def test_label_maps_without_a_picture_are_all_named(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        save_pair(tmp_path, name)
    (tmp_path / "a_rgb.png").unlink()
    (tmp_path / "c_rgb.png").unlink()
    with pytest.raises(InputError) as caught:
        list_folder(tmp_path)
    assert len(caught.value.problems) == 2
    assert "a_label.png: has no picture a_rgb.png" in caught.value.problems[0]


def test_a_folder_without_labels_says_what_was_looked_for(tmp_path: Path) -> None:
    save(tmp_path / "a_rgb.png", picture(label_map()))
    with pytest.raises(InputError, match=r"holds no \*_label\.png .*beside 1 pictures"):
        list_folder(tmp_path)
    with pytest.raises(InputError, match="nowhere: is no folder"):
        list_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("pattern", ["*_*.png", "a.png", "../*.png", "/tmp/*.png"])
def test_patterns_stay_inside_with_one_star(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(InputError, match="exactly one"):
        list_folder(tmp_path, pattern)


def make_challenge(root: Path) -> Path:
    for subset, plant in (("A2", "plant001"), ("A1", "plant002"), ("A1", "plant001")):
        save_pair(root / subset, plant)
        save(root / subset / f"{plant}_fg.png", label_map() > 0)
    return root


def test_the_challenge_from_its_root_and_from_a_subset(tmp_path: Path, monkeypatch) -> None:
    root = make_challenge(tmp_path / "training")
    names = ["A1/plant001", "A1/plant002", "A2/plant001"]
    assert [p.name for p in list_cvppp(root)] == names
    assert [p.name for p in list_cvppp(root / "A1")] == names[:2]
    monkeypatch.chdir(root / "A2")
    assert [p.name for p in list_cvppp(Path())] == names[2:]
    assert np.array_equal(list_cvppp(root)[0].read().labels, label_map())


def test_the_test_set_has_no_labels_and_the_message_says_so(tmp_path: Path, caplog) -> None:
    root = make_challenge(tmp_path)
    save(root / "A5" / "plant007_rgb.png", picture(label_map()))
    save(root / "A5" / "plant007_fg.png", label_map() > 0)
    with caplog.at_level(logging.INFO):
        assert len(list_cvppp(root)) == 3
    assert "A5: holds no plant*_label.png and is left out" in caplog.text
    with pytest.raises(InputError, match=r"looked for plant\*_label\.png in A5; .*test set"):
        list_cvppp(root / "A5")
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="neither folders A1, A2"):
        list_cvppp(tmp_path / "other")
