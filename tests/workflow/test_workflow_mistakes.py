"""A user's mistakes: one clear line each at once, an exit code, and nothing written."""

from __future__ import annotations

import shutil

import pytest

from phenopipe.nightly.snakemake_run import HELD

pytestmark = pytest.mark.workflow


def errors_of(experiment, *arguments):
    """Run, and return what is said besides Snakemake's own line on profiles."""
    run = experiment.run(*arguments)
    assert run.code == 1, run.output
    assert not experiment.results.exists()
    assert run.lines[0].startswith("Using workflow specific profile")
    return run.lines[1:]


@pytest.fixture
def experiment(raw):
    return raw


def test_settings(experiment):
    experiment.configure(
        plan__shard_sise=3,
        ingest__crop_size=-64,
        analyses__one__segment={"max_angle_deg": "45 degrees"},
    )
    unknown, negative, unit = errors_of(experiment)
    assert unknown.endswith("plan.shard_sise: unknown key, did you mean 'shard_size'?")
    assert "ingest.crop_size: " in negative
    assert "(is -64)" in negative
    assert "analyses.one.segment.max_angle_deg: " in unit
    assert "'45 degrees'" in unit
    config = experiment.folder / "config.yaml"
    assert all(line.startswith(f"error: {config}: ") for line in (unknown, negative, unit))


def test_settings_of_a_night_that_leaves_image_sets_as_they_are(experiment):
    experiment.configure(plan__shard_sise=3)
    config, held = experiment.folder / "config.yaml", experiment.folder / HELD
    held.parent.mkdir(exist_ok=True)
    held.write_text("plan: {hold: [night_1]}\n")
    (unknown,) = errors_of(experiment, "--configfile", str(config), str(held))
    assert unknown.startswith(f"error: {config}: plan.shard_sise: unknown key")


def test_a_key_that_stands_twice(experiment):
    config = experiment.folder / "config.yaml"
    lines = config.read_text(encoding="utf-8").splitlines()
    first = lines.index("plan:") + 1
    config.write_text("\n".join([*lines, "plan: {shard_size: 5}", ""]), encoding="utf-8")
    assert errors_of(experiment) == [
        f"error: {config}: plan: stands on line {first} and on line {len(lines) + 1}; make it one"
    ]


def test_a_folder_that_is_missing(experiment):
    experiment.configure(plan__image_root="nowhere")
    assert errors_of(experiment) == ["error: plan.image_root: nowhere is no folder"]


def test_a_folder_without_images(experiment):
    shutil.rmtree(experiment.folder / "images")
    (experiment.folder / "images/night_1").mkdir(parents=True)
    assert errors_of(experiment) == ["error: plan.image_root: images holds no images"]


def test_names_of_which_none_matches(experiment):
    experiment.configure(plan__pattern="{camera}-{pot:digits}.png")
    (error,) = errors_of(experiment)
    assert error.startswith("error: plan: no image is left, 9 files were dropped, the first one ")
    assert error.endswith("does not match plan.pattern")


def test_a_sample_sheet(experiment):
    sheet = experiment.folder / "sheet.csv"
    image = "night_1/20240301_010000_p1.png"
    sheet.write_text(f"image_set,image\na,{image}\na,../outside.png\na,{image}\n")
    experiment.configure(plan__sample_sheet="sheet.csv", plan__pattern=None)
    assert errors_of(experiment) == [
        "error: sheet.csv: line 3, column image: ../outside.png leaves plan.image_root",
        f"error: sheet.csv: line 4, column image: {image} is listed already in line 2",
    ]


def test_a_set_a_model_and_a_plants_sheet_at_once(experiment):
    model = experiment.folder / "net.safetensors"
    model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    experiment.configure(
        plan__sets=["night_1", "night_9"],
        models__gone={"weights": "gone.safetensors"},
        tabulate__plants_sheet="gone.csv",
    )
    image_set, gone, cut, sheet = errors_of(experiment)
    assert image_set == "error: images: image set 'night_9' is no folder; see plan.sets"
    assert cut.startswith("error: net.safetensors: is damaged or no safetensors file")
    assert gone.startswith("error: gone.safetensors: no such model")
    assert sheet == "error: gone.csv: cannot be read (No such file or directory)"
