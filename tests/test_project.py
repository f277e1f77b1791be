"""A new experiment's folder: what is written, and that Snakemake runs from there."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from green_plants import draw_pot, write_picture

from phenopipe.config import load_config
from phenopipe.errors import ConfigError, InputError
from phenopipe.project import CHECKOUT, init_project

ODD = 'it\'s "bay 4" #2: {x} $(y) é'
FILES = ["Snakefile", "config/config.yaml", "profiles/default/config.yaml"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two image sets, of two pictures and one; the files are only just written."""
    folder = tmp_path / f"pictures {ODD}"
    for name, leaves in {"n1/a.png": 1, "n1/b.png": 3, "n2/a.png": 2}.items():
        write_picture(folder / name, draw_pot(128, leaves))
    return folder


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", *arguments]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / ".cache")}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


def test_what_is_found_and_written(tmp_path: Path, images: Path) -> None:
    rosters = init_project(tmp_path / ODD, images)
    assert {roster.image_set: len(roster.kept) for roster in rosters} == {"n1": 2, "n2": 1}
    assert all((tmp_path / ODD / name).is_file() for name in FILES)
    config = load_config(tmp_path / ODD / "config" / "config.yaml")
    assert config.experiment == ODD
    assert config.synth is None
    assert config.plan.image_root == str(images)
    assert config.plan.settle_seconds > 0, "only the look at what is there takes new files"


def test_profiles_are_the_checkouts(tmp_path: Path, images: Path) -> None:
    init_project(tmp_path / "spring", images)
    for path in [CHECKOUT / f"profiles/{name}/config.yaml" for name in ("default", "local")]:
        copy = tmp_path / "spring" / path.relative_to(CHECKOUT)
        assert yaml.safe_load(copy.read_text()) == yaml.safe_load(path.read_text())


@pytest.mark.parametrize("folder", ["spring", "deep/er/spring", "linked/spring"])
def test_relative_images_are_found_from_the_folder(
    tmp_path: Path, images: Path, monkeypatch, folder: str
) -> None:
    (tmp_path / "elsewhere" / "below").mkdir(parents=True)
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere" / "below")
    monkeypatch.chdir(tmp_path)
    init_project(Path(folder), Path(images.name))
    monkeypatch.chdir(folder)
    root = Path(load_config("config/config.yaml").plan.image_root)
    assert not root.is_absolute()
    assert root.samefile(images)


def test_a_pattern_is_kept(tmp_path: Path, images: Path) -> None:
    init_project(tmp_path / "spring", images, "{pot}")
    assert load_config(tmp_path / "spring" / "config" / "config.yaml").plan.pattern == "{pot}"


def test_a_second_time_changes_nothing(tmp_path: Path, images: Path) -> None:
    init_project(tmp_path / "spring", images)
    config = tmp_path / "spring" / "config" / "config.yaml"
    config.write_text("mine")
    with pytest.raises(InputError, match=r"config\.yaml: is there already; remove it or choose"):
        init_project(tmp_path / "spring", images)
    assert config.read_text() == "mine"


def test_another_workflow_is_not_overwritten(tmp_path: Path, images: Path) -> None:
    (tmp_path / "Snakefile").write_text("rule mine:")
    with pytest.raises(InputError, match="Snakefile: is there already"):
        init_project(tmp_path, images)
    assert not (tmp_path / "config").exists()


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: is no folder of images"):
        init_project(tmp_path / "spring", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no images"):
        init_project(tmp_path / "spring", tmp_path / "empty")
    (tmp_path / "empty" / "n1").mkdir()
    (tmp_path / "empty" / "n1" / "notes.txt").write_text("no picture")
    with pytest.raises(InputError, match="empty holds no images"):
        init_project(tmp_path / "spring", tmp_path / "empty")
    assert not (tmp_path / "spring").exists()


def test_no_name_fits_the_pattern(tmp_path: Path, images: Path) -> None:
    with pytest.raises(InputError, match=r"no image is left, 3 files were dropped.*plan\.pattern"):
        init_project(tmp_path / "spring", images, "{timestamp:%Y%m%d}_{pot}")
    with pytest.raises(ConfigError, match="init: plan"):
        init_project(tmp_path / "spring", images, "{pot")
    assert not (tmp_path / "spring").exists()


@pytest.mark.parametrize("inside", ["", "n1", "new/spring"])
def test_results_do_not_go_among_the_pictures(images: Path, inside: str) -> None:
    with pytest.raises(InputError, match="lies in the folder of images"):
        init_project(images / inside, images)


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        init_project(tmp_path / "file", tmp_path / "none")
    assert [line.split(": ")[1] for line in caught.value.problems] == [
        "is no folder",
        "is no folder of images",
    ]


def test_without_a_checkout(tmp_path: Path, images: Path, monkeypatch) -> None:
    monkeypatch.setattr("phenopipe.project.CHECKOUT", tmp_path)
    with pytest.raises(InputError, match=r"not beside the package; install .* pip install -e"):
        init_project(tmp_path / "spring", images)


def test_the_command_says_what_comes_next(tmp_path: Path, images: Path, monkeypatch) -> None:
    from typer.testing import CliRunner

    from phenopipe.cli.commands import app

    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["init", ODD, "--images", str(images)])
    assert result.exit_code == 0, result.output
    assert "n1: 2 images, 0 files dropped" in result.stdout
    (change,) = [line for line in result.stdout.splitlines() if line.startswith("  cd ")]
    assert shlex.split(change) == ["cd", ODD]


@pytest.mark.workflow
def test_snakemake_runs_in_the_new_folder(
    tmp_path: Path, images: Path, green_model_file: Path, monkeypatch
) -> None:
    """With the very command that the configuration's first lines name."""
    place = tmp_path / 'a "checkout\'s" #2'  # braces in its path are too much for Snakemake
    place.symlink_to(CHECKOUT)
    monkeypatch.setattr("phenopipe.project.CHECKOUT", place)
    folder = tmp_path / ODD
    init_project(folder, images)
    config = folder / "config" / "config.yaml"
    settings = yaml.safe_load(config.read_text())
    settings["models"]["default"]["weights"] = str(green_model_file)
    settings["plan"].update(settle_seconds=0, sets=["n1"])
    settings["ingest"]["crop_size"] = 128
    config.write_text(yaml.safe_dump(settings))
    done = snakemake(folder, "--cores", "2")
    assert done.returncode == 0, done.stderr
    assert "profiles/default" in done.stderr
    plants = pd.read_csv(folder / "results/analyses/default/sets/n1/plants.csv")
    assert plants["leaf_count"].tolist() == [1, 3]
    assert plants["experiment"].tolist() == [ODD] * 2
    again = snakemake(folder, "--cores", "2", "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr
