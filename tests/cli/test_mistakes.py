"""A user's mistake is one clear line for each problem and exit code 1, never a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_runs import problems, run
from green_plants import draw_pot, write_picture
from safetensors.torch import save_file

from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.store import create_array, create_store, open_store

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch) -> Path:
    """A folder with a picture and a configuration, to run in."""
    monkeypatch.chdir(tmp_path)
    write_picture(tmp_path / "pot.png", draw_pot(64, 1))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("experiment: trial\n")
    return tmp_path


def failing(*arguments: object) -> list[str]:
    result = run(*arguments)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    found = problems(result)
    assert found
    return found


STAGES = {
    "plan": [],
    "ingest": ["none.tsv", "0000", "--out", "o"],
    "train": ["default"],
    "predict": ["none.zarr", "--out", "o"],
    "segment": ["--crops", "none.zarr", "--predictions", "none.zarr", "--out", "o"],
    "tabulate": [
        *("--plan", "none.tsv", "--crops", "none.zarr", "--predictions", "none.zarr"),
        *("--out", "o"),
    ],
    "season": ["none", "--out", "o"],
    "report": ["none"],
}


@pytest.mark.parametrize("out", ["results", ".", "0000.zarr"])
def test_predictions_never_take_the_place_of_other_files(here: Path, out: str) -> None:
    kept = here / "results/thesis.txt"
    kept.parent.mkdir()
    kept.write_text("years")
    with create_store("0000.zarr", "crops") as group:
        create_array(group, "rgb", (1, 64, 64, 3), np.uint8)[:] = 90
    write_crop_table("0000.tsv", [CropRow("a#1", "a", "1", "", 64, 64)])
    (problem,) = failing("predict", "0000.zarr", "--out", out)
    assert problem.startswith(f"{out}: ")
    assert kept.read_text() == "years"
    assert open_store("0000.zarr", "crops")["rgb"].shape == (1, 64, 64, 3)


@pytest.mark.parametrize("stage", ["synth", *STAGES])
def test_a_missing_configuration(stage: str) -> None:
    arguments = ["night_01"] if stage == "synth" else STAGES[stage]
    found = failing(stage, *arguments, "--config", "none.yaml")
    assert found == ["none.yaml: cannot be read (No such file or directory)"]


@pytest.mark.parametrize("stage", STAGES)
def test_unknown_keys_name_their_neighbours(stage: str) -> None:
    Path("bad.yaml").write_text("experimant: x\npredict: {batchsize: 2}\n")
    assert sorted(failing(stage, *STAGES[stage], "--config", "bad.yaml")) == [
        "bad.yaml: experimant: unknown key, did you mean 'experiment'?",
        "bad.yaml: predict.batchsize: unknown key, did you mean 'batch_size'?",
    ]


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("plan", "plan.image_root: results/synth/images is no folder"),
        ("ingest", "none.tsv: cannot be read"),
        ("train", "config/config.yaml: models.default.train: is missing"),
        ("predict", "none.zarr: no readable Zarr store"),
        ("segment", "none.tsv: cannot be read"),
        ("tabulate", "none.zarr: no readable Zarr store"),
        ("season", "none/plants.parquet: cannot be read"),
        ("report", "none/plants.parquet: cannot be read"),
    ],
)
def test_what_earlier_stages_should_have_written(stage: str, message: str) -> None:
    (found,) = failing(stage, *STAGES[stage])
    assert found.startswith(message)
    assert not Path("o").exists()


def test_other_mistakes_of_stages() -> None:
    unknown = failing("segment", *STAGES["segment"], "--analysis", "strict")
    assert unknown == ["analyses: has no 'strict', only default"]
    assert "synth: is null" in failing("synth", "night_01")[0]
    two = ["--predictions", "p.zarr", "--predictions", "q.zarr"]
    uneven = failing("segment", "--crops", "a.zarr", *two, "--out", "o")
    assert uneven == ["1 shards of crops, but 2 of predictions"]


def test_a_missing_model() -> None:
    (found,) = failing("measure", "pot.png", "--out", "o", "--model", "none.safetensors")
    assert found.startswith("none.safetensors: no such model; give a .safetensors file")


def test_a_model_cut_in_half(green_model_file: Path) -> None:
    content = green_model_file.read_bytes()
    Path("half.safetensors").write_bytes(content[: len(content) // 2])
    (found,) = failing("measure", "pot.png", "--out", "o", "--model", "half.safetensors")
    assert found.startswith("half.safetensors: is damaged or no safetensors file")
    assert not Path("o").exists()


def test_files_that_are_no_model() -> None:
    Path("text.safetensors").write_text("no model")
    save_file({"x": torch.zeros(2)}, "other.safetensors")
    for name, message in [("text", "is damaged or no safetensors"), ("other", "is no phenopipe")]:
        (found,) = failing("measure", "pot.png", "--out", "o", "-m", f"{name}.safetensors")
        assert found.startswith(f"{name}.safetensors: {message}")


def test_pictures_that_are_not_there_or_twice(green_model_file: Path) -> None:
    arguments = ["pot.png", "none.png", "./pot.png", "--out", "o", "-m", green_model_file]
    found = failing("measure", *arguments)
    assert found == ["none.png: no such file", f"{Path.cwd()}/pot.png: is given 2 times"]
    assert not Path("o").exists()


def test_a_picture_that_is_text(green_model_file: Path) -> None:
    Path("text\n.png").write_text("no picture")
    found = failing("measure", "text\n.png", "--out", "o", "-m", green_model_file)
    assert found == ["text\\n.png: not a JPEG, PNG or TIFF picture"]
    assert Path("o/plants.csv").is_file()


@pytest.mark.parametrize(
    ("pots", "message"),
    [
        ("rows: 2\ncolumns: 3\n", "columns: unknown key, did you mean 'cols'?"),
        ("rows: 2\ncols: 3\n", "give rows, cols and corners together, or boxes"),
        ("", "give rows, cols and corners together, or boxes"),
        ("- [0, 0, 9, 9]\n", "holds list, not the keys rows, cols and corners, or boxes with"),
        ("boxes: [[9, 0, 0, 9]]\n", "left < right"),
        ("boxes: [0, 0, 9, 9]\n", "boxes.0"),
        ("rows: [\n", "is no valid YAML"),
    ],
)
def test_a_wrong_pots_file(pots: str, message: str) -> None:
    Path("pots.yaml").write_text(pots)
    found = failing("measure", "pot.png", "--out", "o", "--pots", "pots.yaml")
    assert all(line.startswith("pots.yaml: ") for line in found)
    assert message in found[0]


def test_a_missing_pots_file() -> None:
    found = failing("measure", "pot.png", "--out", "o", "--pots", "none.yaml")
    assert found == ["none.yaml: cannot be read (No such file or directory)"]


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ("0", "greater than 0 (is 0.0)"),
        ("-0.5", "greater than 0 (is -0.5)"),
        ("nan", "a finite number (is nan)"),
        ("inf", "a finite number (is inf)"),
    ],
)
def test_a_scale_that_is_none(scale: str, message: str) -> None:
    (found,) = failing("measure", "pot.png", "--out", "o", "--mm-per-px", scale)
    assert found == f"measure: mm_per_px: input should be {message}"


def test_what_the_system_refuses_names_the_file(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied", "secret/roster.tsv")

    monkeypatch.setattr("phenopipe.plan.iter_rosters", refuse)
    assert failing("plan", "--dry-run") == ["secret/roster.tsv: Permission denied"]


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_a_reader_that_leaves_is_no_mistake(options: list[str]) -> None:
    Path("images").mkdir()
    Path("pot.png").rename("images/pot.png")
    Path("plan.yaml").write_text("plan: {image_root: images, settle_seconds: 0}\n")
    code = "from phenopipe.cli import main; main()"
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as pipe:
        done = subprocess.run(
            [sys.executable, "-c", code, "plan", "--config", "plan.yaml", "--out", "o", *options],
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path("o/images.tsv").exists() == (not options)


def test_a_programming_error_is_not_hidden(monkeypatch) -> None:
    monkeypatch.setattr("phenopipe.plan.iter_rosters", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("plan", "--dry-run")
