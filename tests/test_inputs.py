"""What a run is given is looked at before its first job."""

from __future__ import annotations

import pytest

from phenopipe.config import check_config
from phenopipe.errors import InputError
from phenopipe.inputs import check_inputs
from phenopipe.plan.names import LONGEST_KEY
from phenopipe.plan.rosters import Rosters


@pytest.fixture
def problems(tmp_path):
    """Check the inputs of a configuration; returns the problems."""

    def check(*names, **blocks):
        for name in names:
            (tmp_path / "images" / name).mkdir(parents=True)
            (tmp_path / "images" / name / "a.png").touch()
        plan = {"image_root": str(tmp_path / "images"), "settle_seconds": 0}
        config = check_config({"plan": plan} | blocks)
        try:
            check_inputs(config, Rosters(config, tmp_path / "plan", scan=True))
        except InputError as error:
            return list(error.problems)
        return []

    return check


def test_a_configuration_without_a_mistake(problems):
    assert problems("night") == []


def test_names_that_files_could_not_bear(problems):
    long, short = "葉" * (LONGEST_KEY // 9 + 1), "葉" * (LONGEST_KEY // 9)
    assert problems(short) == []
    (problem,) = problems(long)
    assert f"image set '{long}' has too long a name" in problem


def test_all_mistakes_at_once(problems, tmp_path):
    (tmp_path / "text.safetensors").write_text("no weights")
    (tmp_path / "sheet.tsv").write_text("tray\tgenotype\n1\tCol-0\n")
    models = {
        "text": {"weights": str(tmp_path / "text.safetensors")},
        "start": {"weights": "nowhere.safetensors", "train": {}},
        "default": {"weights": "default"},
    }
    sheet = {"plants_sheet": str(tmp_path / "sheet.tsv")}
    images, text, start, table = problems(models=models, tabulate=sheet)
    assert images == f"plan.image_root: {tmp_path / 'images'} is no folder"
    assert text.startswith(f"{tmp_path / 'text.safetensors'}: is damaged or no safetensors file")
    assert start.startswith("nowhere.safetensors: no such model")
    assert table.startswith(f"{tmp_path / 'sheet.tsv'}: column 'pot' is missing")


def test_pictures_of_soil_are_looked_for(problems, tmp_path):
    plants = {"soil_folder": str(tmp_path / "gone")}
    models = {name: {"train": {"plants": plants}} for name in ("default", "other")}
    (problem,) = problems("night", models=models)
    assert problem.startswith(f"soil_folder: {tmp_path / 'gone'} holds no readable picture")


@pytest.mark.parametrize("key", ["image_root", "sample_sheet"])
def test_a_greenhouse_hides_no_pictures_of_ones_own(problems, tmp_path, key):
    plan = {"image_root": "results/synth/images"} | {key: str(tmp_path / "mine.csv")}
    (problem,) = problems("night", synth={}, plan=plan)
    drawn = "synth: draws its own pictures into results/synth/images"
    assert problem == f"{drawn}; set synth: null to use plan.{key}"
    assert problems(synth={}, plan={"image_root": "./results/synth/images/"}) == []


def test_labelled_pictures_are_looked_for(problems, tmp_path):
    data = [{"kind": "folder", "path": str(tmp_path / "gone")}]
    (problem,) = problems("night", models={"default": {"train": {"data": data}}})
    assert problem == f"{tmp_path / 'gone'}: is no folder"
