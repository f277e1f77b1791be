"""The challenge's file, read back with h5py."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from green_plants import draw_pot
from labelled_scenes import label_map, save
from typer.testing import CliRunner

from phenopipe.cli.commands import app
from phenopipe.errors import InputError
from phenopipe.labelled import write_submission
from phenopipe.labelled.submission import Plant
from phenopipe.measurement import Measurer

PLANTS = [
    Plant("A1", "plant003", label_map()),
    Plant("A1", "plant004", label_map().astype(np.uint32) * 1000),
    Plant("A5", "plant003", np.zeros((7, 9), np.uint16)),
]


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "out" / "submission.h5"
    assert write_submission(path, iter(PLANTS)) == 3
    with h5py.File(path) as file:
        assert {key: list(group) for key, group in file.items()} == {
            "A1": ["plant003", "plant004"],
            "A5": ["plant003"],
        }
        for plant in PLANTS:
            group = file[plant.subset][plant.plant]
            assert group["label"].dtype == np.uint8
            assert group["label"].shape == plant.labels.shape
            assert group["label_filename"].asstr()[()] == f"{plant.plant}_label.png"
        # Numbers beyond 255 are given anew, in the same order.
        assert np.array_equal(file["A1/plant004/label"], label_map())


def test_an_unfinished_file_does_not_replace_another(tmp_path: Path) -> None:
    path = tmp_path / "submission.h5"
    write_submission(path, PLANTS[:1])
    before = path.read_bytes()
    many = np.arange(400).reshape(20, 20)
    for wrong, said in (
        ([*PLANTS, Plant("A2", "plant001", many)], "A2/plant001: has 399 leaves"),
        ([*PLANTS, PLANTS[0]], "A1/plant003: comes twice"),
        ([], "no plant"),
    ):
        with pytest.raises(InputError, match=said):
            write_submission(path, wrong)
        assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_255_leaves_fit(tmp_path: Path) -> None:
    labels = np.arange(256).reshape(16, 16)
    write_submission(tmp_path / "a.h5", [Plant("A1", "plant001", labels)])
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["A1/plant001/label"], labels)


def test_the_command_writes_what_measuring_finds(tmp_path: Path, green_model_file: Path) -> None:
    for subset, plant in (("A1", "plant001"), ("A4", "plant002")):
        save(tmp_path / "set" / subset / f"{plant}_rgb.png", draw_pot(64))
    out = tmp_path / "submission.h5"
    arguments = ["submission", str(tmp_path / "set"), "--out", str(out), "-m", green_model_file]
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert "2 plants" in result.output
    found = Measurer.load(str(green_model_file)).measure(draw_pot(64)).labels
    assert found.max() > 0
    with h5py.File(out) as file:
        assert np.array_equal(file["A4/plant002/label"], found)
