"""`phenopipe sweep` over the files that the stages leave."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from cli_runs import problems, run, run_well
from green_plants import draw_pot, write_picture

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, green_model_file: Path) -> Path:
    """A folder with crops and predictions of three pots."""
    folder = tmp_path_factory.mktemp("experiment")
    for leaves in (1, 2, 3):
        write_picture(folder / f"images/n1/p{leaves}.png", draw_pot(96, leaves))
    settings = {
        "plan": {"image_root": str(folder / "images"), "settle_seconds": 0},
        "ingest": {"crop_size": 96},
        "predict": {"device": "cpu", "network_size": 96},
        "models": {"net": {"weights": str(green_model_file)}},
        "analyses": {"one": {"model": "net"}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    config, results = ["--config", folder / "config.yaml"], folder / "results"
    run_well("plan", "--out", results / "plan", *config)
    crops = results / "crops/n1"
    run_well("ingest", results / "plan/n1.roster.tsv", "0000", "--out", crops, *config)
    predictions = results / "predictions/net/n1/0000.zarr"
    run_well(
        "predict", crops / "0000.zarr", "--model", green_model_file, "--out", predictions, *config
    )
    return folder


@pytest.fixture
def here(experiment: Path, monkeypatch) -> Path:
    monkeypatch.chdir(experiment)
    return experiment


def sweep(*arguments: object) -> list[object]:
    analysis = [] if "--analysis" in arguments else ["--analysis", "one"]
    return ["sweep", *arguments, *analysis, "--config", "config.yaml"]


def test_sweep_prints_a_block_to_paste(here: Path) -> None:
    shown = run_well(*sweep("n1", "--grid", "seed_threshold=0.3,0.5")).stdout.splitlines()
    assert shown[0] == "3 points, 3 plants"
    at = shown.index("segment:")
    assert yaml.safe_load("\n".join(shown[at:-1]))["segment"]["seed_threshold"] in (0.3, 0.5)
    assert shown[-1] == "results/sweeps/one/report.html"
    assert {path.name for path in (here / "results/sweeps/one").iterdir()} == {
        *("points.csv", "points.parquet", "points.schema.json", "segment.yaml", "report.html"),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["n9"], "results/predictions/net/n9: has no predictions; run the pipeline first"),
        (["--grid", "seed=1"], "grid: 'seed' is no number of segment"),
        (["--truth", "images"], "images/n1/p1.png: has 3 channels"),
        (["--truth", "none"], "none: no such folder"),
        (["--analysis", "two"], "analyses: has no 'two', only one"),
    ],
)
def test_mistakes(here: Path, arguments: list[str], message: str) -> None:
    result = run(*sweep(*arguments))
    assert result.exit_code == 1
    assert problems(result)[0].startswith(message)
