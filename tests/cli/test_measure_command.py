"""`phenopipe measure` from a shell's side."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from cli_runs import problems, run, run_well
from green_plants import draw_pot, write_picture

torch.set_num_threads(1)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return [write_picture(tmp_path / f"pot{n}.png", draw_pot(96, n)) for n in (1, 2)]


def test_pictures_in_tables_out(pictures, tmp_path, green_model_file) -> None:
    result = run_well("measure", *pictures, "--out", tmp_path / "o", "--model", green_model_file)
    plants = pd.read_csv(tmp_path / "o" / "plants.csv")
    assert plants["leaf_count"].tolist() == [1, 2]
    assert plants["image"].tolist() == [str(path) for path in pictures]
    assert result.stdout == f"2 pots: 2 ok, 0 flagged, 0 failed; see {tmp_path}/o\n"


def test_pots_and_scale(tmp_path, green_model_file) -> None:
    picture = write_picture(tmp_path / "tray.png", draw_pot(128))
    right, middle, bottom = 128, 64, 128
    layout = {"rows": 1, "cols": 2, "corners": [[0, 0], [right, 0], [right, bottom], [0, bottom]]}
    boxes = {"boxes": [[0, 0, middle, bottom], [middle, 0, right, bottom]]}
    for name, block in {"grid": layout, "boxes": boxes}.items():
        pots = tmp_path / f"{name}.yaml"
        pots.write_text(yaml.safe_dump(block))
        settings = ["-m", green_model_file, "--pots", pots, "--mm-per-px", 0.1]
        run_well("measure", picture, "-o", tmp_path / name, *settings)
    grid, listed = (pd.read_csv(tmp_path / n / "plants.csv") for n in ("grid", "boxes"))
    assert grid["plant_id"].tolist() == ["tray-A1", "tray-A2"]
    assert listed["plant_id"].tolist() == ["tray-1", "tray-2"]
    assert grid["leaf_area_mm2"].tolist() == listed["leaf_area_mm2"].tolist()
    expected = grid["leaf_area_px"] * 0.01
    assert grid["leaf_area_mm2"].tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_settings_of_an_analysis(pictures, tmp_path, green_model_file) -> None:
    config = tmp_path / "config.yaml"
    tuned = {"segment": {"min_leaf_area_px": 1e6}, "quality": {"max_brightness": 1.0}}
    config.write_text(yaml.safe_dump({"analyses": {"default": {}, "strict": tuned}}))
    for analysis, leaves, flags in (("default", [1, 2], 0), ("strict", [0, 0], 2)):
        out = tmp_path / analysis
        given = ["-c", config, "--analysis", analysis, "-m", green_model_file]
        run_well("measure", *pictures, "-o", out, *given)
        plants = pd.read_csv(out / "plants.csv")
        assert plants["leaf_count"].tolist() == leaves
        assert list(plants["qc_flags"].astype("str").str.contains("bright")).count(True) == flags
    (problem,) = problems(
        run("measure", *pictures, "-o", tmp_path, "-c", config, "--analysis", "x")
    )
    assert problem == "analyses: has no 'x', only default, strict"


def test_a_bad_picture_is_named_and_the_run_is_good(pictures, tmp_path, green_model_file) -> None:
    pictures[0].write_bytes(b"")
    result = run("measure", *pictures, "-o", tmp_path / "o", "-m", green_model_file)
    assert result.exit_code == 0
    assert f"failed: {pictures[0]}, pot 1: file is empty (0 bytes)\n" in result.stdout
    assert "1 ok, 0 flagged, 1 failed" in result.stdout


def test_log_lines_where_there_is_no_terminal(pictures, tmp_path, green_model_file, caplog) -> None:
    caplog.set_level(logging.INFO)
    result = run_well("measure", *pictures, "-o", tmp_path / "o", "-m", green_model_file)
    assert "measure: 2 of 2 done in" in caplog.text
    assert "\x1b" not in result.output
