"""Label maps on disk: what is read, what is refused, and how files find their partners."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from evaluate_scenes import blocks, write_png

from phenopipe.errors import InputError
from phenopipe.evaluate.pair_files import check_pair_files, pair_files
from phenopipe.evaluate.read_pairs import leaf_confidence
from phenopipe.labelled.label_files import find_label_maps, find_pictures

GAPS = np.array([0, 300, 7, 65_535], np.uint16)[
    blocks((0, 9, 0, 9), (9, 12, 9, 12), (20, 21, 3, 4))
]
RGB = np.zeros((24, 24, 3), np.uint8)


def problems(call, *arguments, **settings):
    with pytest.raises(InputError) as error:
        call(*arguments, **settings)
    return list(error.value.problems)


def test_names_of_the_challenge(tmp_path):
    for name in ("plant1_label.png", "plant1_rgb.png", "plant1_centers.png"):
        write_png(tmp_path / "A1" / name, GAPS)
    for name in ("._plant2_label.png", ".hidden/plant3_label.png"):
        write_png(tmp_path / name, GAPS)
    assert find_label_maps(tmp_path) == {"A1/plant1": [tmp_path / "A1/plant1_label.png"]}
    pictures = find_pictures(tmp_path)
    assert pictures["A1/plant1"] == [tmp_path / "A1/plant1_rgb.png"]
    (pair,) = pair_files(tmp_path)
    assert (pair.image, pair.data_set) == ("A1/plant1", "A1")
    assert pair.picture == tmp_path / "A1/plant1_rgb.png"


def test_two_folders_of_label_maps(tmp_path, caplog):
    write_png(tmp_path / "truth/a_label.png", GAPS)
    write_png(tmp_path / "out/labels/a_rgb.png", GAPS)
    write_png(tmp_path / "out/labels/b_rgb.png", GAPS)
    with caplog.at_level("INFO"):
        (pair,) = pair_files(tmp_path / "truth", predictions=tmp_path / "out")
    assert pair.prediction == tmp_path / "out/labels/a_rgb.png"
    assert pair.picture is None and pair.data_set == "truth"
    assert "1 predictions have no true label map" in caplog.text
    check_pair_files([pair])


def test_truth_without_suffixes_is_not_its_own_picture(tmp_path):
    for folder in ("truth", "found"):
        write_png(tmp_path / folder / "a.png", GAPS)
    (pair,) = pair_files(tmp_path / "truth", predictions=tmp_path / "found")
    assert pair.picture is None
    write_png(tmp_path / "pictures/a.jpg", RGB)
    (pair,) = pair_files(tmp_path / "truth", pictures=tmp_path / "pictures")
    assert pair.picture == tmp_path / "pictures/a.jpg" and pair.prediction is None


def test_a_folder_without_labels_says_what_was_looked_for(tmp_path):
    write_png(tmp_path / "a_rgb.png", RGB)
    (problem,) = problems(pair_files, tmp_path)
    assert problem.startswith(f"{tmp_path}: has no label maps: looked for NAME_label.png")
    (tmp_path / "empty").mkdir()
    (problem,) = problems(pair_files, tmp_path / "empty", predictions=tmp_path)
    assert problem.startswith(f"{tmp_path / 'empty'}: has no label maps")
    assert problems(pair_files, tmp_path / "gone") == [f"{tmp_path / 'gone'}: no such folder"]


def test_a_data_set_that_is_called_all_would_be_taken_for_all(tmp_path):
    for folder in ("all", "A1"):
        write_png(tmp_path / f"truth/{folder}/a_label.png", GAPS)
        write_png(tmp_path / f"found/{folder}/a.png", GAPS)
    (problem,) = problems(pair_files, tmp_path / "truth", predictions=tmp_path / "found")
    assert problem.startswith(f"{tmp_path / 'truth/all'}: all stands for all data sets together")
    assert len(pair_files(tmp_path / "truth/all", predictions=tmp_path / "found/all")) == 1


def test_all_missing_and_ambiguous_partners_at_once(tmp_path):
    for name in ("a", "b", "c"):
        write_png(tmp_path / f"truth/{name}_label.png", GAPS)
    write_png(tmp_path / "found/b.png", GAPS)
    write_png(tmp_path / "found/b_label.tif", GAPS)
    write_png(tmp_path / "found/c_label.png", GAPS)
    write_png(tmp_path / "found/c_label.tif", GAPS)
    found = problems(pair_files, tmp_path / "truth", predictions=tmp_path / "found")
    assert found == [
        f"{tmp_path}/truth/a_label.png: has no prediction in {tmp_path}/found",
        f"{tmp_path}/found/c_label.png, {tmp_path}/found/c_label.tif: have one name; keep one of "
        "them",
    ]
    found = problems(pair_files, tmp_path / "truth")
    assert len(found) == 3 and found[0].endswith(f"a_label.png: has no picture in {tmp_path}/truth")


def test_all_wrong_files_at_once(tmp_path):
    for name in ("a", "b", "c", "d"):
        write_png(tmp_path / f"{name}_label.png", GAPS)
        write_png(tmp_path / f"{name}_rgb.png", RGB)
    write_png(tmp_path / "a_label.png", GAPS[:20])
    write_png(tmp_path / "b_label.png", RGB)
    (tmp_path / "c_rgb.png").write_bytes(b"no picture")
    found = problems(check_pair_files, pair_files(tmp_path))
    assert found == [
        f"{tmp_path}/a_label.png: is 24x20 px, {tmp_path}/a_rgb.png is 24x24 px",
        f"{tmp_path}/b_label.png: has 3 channels with the colours (0, 0, 0), not one channel with "
        "a number for each leaf; docs/training.md says how to convert it",
        f"{tmp_path}/c_rgb.png: not a JPEG, PNG or TIFF picture",
    ]


def test_confidences_go_to_their_labels():
    leaves = pd.DataFrame({"leaf_id": [7, 1, 300, 65_535], "confidence": [0.7, 0.1, 0.3, 0.6]})
    assert leaf_confidence(GAPS, leaves, "a").tolist() == [0.7, 0.3, 0.6]
    (problem,) = problems(leaf_confidence, GAPS, leaves.iloc[:3], "a.png")
    assert problem == "a.png: leaves.csv has no leaf 65535 of it: are they of one run?"
