"""`phenopipe evaluate`: a model on labelled pictures, and label maps against label maps."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from cli_runs import problems, run, run_well
from green_plants import LEAVES, draw_pot, write_picture

from phenopipe.evaluate import symmetric_best_dice
from phenopipe.measurement import Measurer
from phenopipe.tabulate import read_table

SIDE = 96


def true_labels(leaves: int, side: int = SIDE) -> np.ndarray:
    """Return what `draw_pot` drew, with gaps between labels."""
    labels = np.zeros((side, side), np.uint16)
    rows, columns = np.mgrid[:side, :side] + 0.5
    for number, (x, y, radius) in enumerate(LEAVES[:leaves], start=1):
        labels[np.hypot(columns - x * side, rows - y * side) < radius * side] = 300 * number
    return labels


@pytest.fixture(scope="module")
def labelled(tmp_path_factory) -> Path:
    """Pictures in the challenge's layout, two of them JPEG."""
    folder = tmp_path_factory.mktemp("labelled")
    for leaves in range(4):
        ending = "jpg" if leaves % 2 else "png"
        write_picture(folder / f"plant{leaves}_rgb.{ending}", draw_pot(SIDE, leaves))
        cv2.imwrite(str(folder / f"plant{leaves}_label.png"), true_labels(leaves))
    return folder


@pytest.fixture(scope="module")
def evaluated(labelled: Path, green_model_file: Path, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("evaluated")
    run_well("evaluate", labelled, "--model", green_model_file, "--out", out, "--worst", 1)
    return out


def test_settings_of_an_analysis(labelled: Path, green_model_file: Path, tmp_path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("analyses: {default: {segment: {min_leaf_area_px: 1000000}}}")
    run_well("evaluate", labelled, "-m", green_model_file, "-o", tmp_path / "o", "-c", config)
    assert read_table(tmp_path / "o/images.csv")["found_leaves"].max() == 0
    about = json.loads((tmp_path / "o/summary.json").read_text())["about"]
    assert (about["config"], about["analysis"]) == (str(config), "default")
    made = ["--predictions", labelled, "--truth", labelled, "-o", tmp_path / "p", "-c", config]
    (problem,) = problems(run("evaluate", *made))
    assert "leave out --config" in problem


def test_a_model_is_scored(evaluated: Path, labelled: Path, green_model_file: Path) -> None:
    images = read_table(evaluated / "images.csv").set_index("image")
    assert images["true_leaves"].tolist() == [0, 1, 2, 3]
    measurer = Measurer.load(str(green_model_file))
    for image, row in images.iterrows():
        (picture,) = labelled.glob(f"{image}_rgb.*")
        truth = cv2.imread(str(labelled / f"{image}_label.png"), cv2.IMREAD_UNCHANGED)
        expected = symmetric_best_dice(measurer.measure(picture).labels, truth)
        assert row["symmetric_best_dice"] == pytest.approx(expected)
    assert images["symmetric_best_dice"].min() > 0.8
    about = json.loads((evaluated / "summary.json").read_text())["about"]
    assert len(about["model_sha256"]) == 64
    assert (evaluated / "report.html").read_text().count("data:image/jpeg") == 1


def test_what_measure_wrote_gives_the_same_scores(
    evaluated: Path, labelled: Path, green_model_file: Path, tmp_path
) -> None:
    pictures = sorted(labelled.glob("*_rgb.*"))
    run_well("measure", *pictures, "--model", green_model_file, "--out", tmp_path / "m")
    done = run_well(
        "evaluate", "--predictions", tmp_path / "m", "--truth", labelled, "--out", tmp_path / "e"
    )
    assert (tmp_path / "e/images.csv").read_text() == (evaluated / "images.csv").read_text()
    assert "SBD" in done.stdout and "1-4" in done.stdout


def test_other_label_maps_need_no_table_of_leaves(labelled: Path, tmp_path) -> None:
    for leaves in range(4):
        cv2.imwrite(str(write_folder(tmp_path) / f"plant{leaves}.png"), true_labels(leaves) // 300)
    run_well(
        "evaluate", "--predictions", tmp_path / "p", "--truth", labelled, "--out", tmp_path / "e"
    )
    assert (read_table(tmp_path / "e/images.csv")["symmetric_best_dice"] == 1).all()
    about = json.loads((tmp_path / "e/summary.json").read_text())["about"]
    assert about["confidences"] == "false"


def write_folder(tmp_path: Path) -> Path:
    (tmp_path / "p").mkdir(exist_ok=True)
    return tmp_path / "p"


@pytest.mark.parametrize("arguments", [[], ["--truth", "t"], ["--predictions", "p"]])
def test_nothing_to_compare_is_a_wrong_command(arguments: list[str], tmp_path) -> None:
    result = run("evaluate", *arguments, "--out", tmp_path / "e")
    assert result.exit_code == 2
    assert problems(result)[0].startswith(
        "Invalid value: give FOLDER, or --predictions and --truth"
    )


def test_mistakes_are_named_before_anything_is_written(labelled: Path, tmp_path) -> None:
    folder = write_folder(tmp_path)
    cv2.imwrite(str(folder / "plant0.png"), true_labels(0, SIDE // 2))
    cv2.imwrite(str(folder / "plant1.png"), draw_pot(SIDE))
    arguments = ["--predictions", folder, "--truth", labelled, "--out", tmp_path / "e"]
    missing = problems(run("evaluate", *arguments))
    assert [line.split(":")[0] for line in missing] == [
        f"{labelled}/plant{leaves}_label.png" for leaves in (2, 3)
    ]
    for leaves in (2, 3):
        cv2.imwrite(str(folder / f"plant{leaves}.png"), true_labels(leaves))
    result = run("evaluate", *arguments)
    assert result.exit_code == 1
    size, channels = problems(result)
    assert "is 96x96 px" in size and "is 48x48 px" in size
    assert channels.startswith(f"{folder}/plant1.png: has 3 channels")
    assert not (tmp_path / "e").exists()


@pytest.mark.data
def test_real_pictures(data_folder: Path, tmp_path) -> None:
    truth = data_folder / "leaf_series_plant17"
    run_well("evaluate", "--predictions", truth, "--truth", truth, "--out", tmp_path, "--worst", 1)
    images = read_table(tmp_path / "images.csv")
    assert (images["symmetric_best_dice"] == 1).all()
    assert images["true_leaves"].sum() == 100
