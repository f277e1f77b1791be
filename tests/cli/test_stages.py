"""The stages one by one, by hand, over three small pictures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from cli_runs import run_well
from green_plants import draw_pot, write_picture

from phenopipe.store import open_array, open_store
from phenopipe.tabulate import PLANTS, read_table

torch.set_num_threads(1)
#: Leaves in the pictures of one pot, night after night.
LEAVES = {"n1/20260301_A1.png": 1, "n1/20260301_A2.png": 3, "n2/20260303_A1.png": 2}
#: What measure and the pipeline must agree on.
TRAITS = [
    column.name
    for column in PLANTS
    if column.kind in {"number", "integer", "boolean"} or column.name == "qc_flags"
]


def in_soil(pot: np.ndarray, height: int, width: int, top: int, left: int) -> np.ndarray:
    """Place a pot in a larger picture; what lies below it is cut."""
    rgb = np.resize(draw_pot(128, 0), (height, width, 3))
    rgb[top : top + len(pot), left : left + len(pot)] = pot[: height - top]
    return rgb


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, green_model_file: Path) -> Path:
    """A folder with pictures and a configuration."""
    folder = tmp_path_factory.mktemp("experiment")
    small, low, whole = (draw_pot(128, leaves) for leaves in LEAVES.values())
    pictures = in_soil(small, 400, 400, 30, 260), in_soil(low, 200, 300, 92, 20), whole
    for name, picture in zip(LEAVES, pictures, strict=True):
        write_picture(folder / "images" / name, picture)
    (folder / "images" / "n2" / "20260303_A2.png").write_bytes(b"")
    settings = {
        "experiment": "by hand",
        "plan": {
            "image_root": "images",
            "pattern": "{timestamp:%Y%m%d}_{pot}",
            "settle_seconds": 0,
        },
        "models": {"default": {"weights": str(green_model_file)}},
        "predict": {"device": "cpu"},
    }
    config = folder / "config" / "config.yaml"
    config.parent.mkdir()
    config.write_text(yaml.safe_dump(settings))
    return folder


@pytest.fixture(scope="module")
def results(experiment: Path, green_model_file: Path) -> Path:
    """Everything that the stages write, run by hand in the experiment's folder."""
    before = Path.cwd()
    os.chdir(experiment)
    try:
        run_well("plan")
        for night in ("n1", "n2"):
            run_set(night, green_model_file)
        sets = "results/analyses/default/sets"
        season = "results/analyses/default/season"
        run_well("season", f"{sets}/n1", f"{sets}/n2", "--out", season)
        run_well("report", season)
    finally:
        os.chdir(before)
    return experiment / "results"


def run_set(night: str, model: Path) -> None:
    """Take an image set from its roster to its page."""
    crops, predictions = f"results/crops/{night}/0000.zarr", f"results/predictions/{night}.zarr"
    out = f"results/analyses/default/sets/{night}"
    pair = ["--crops", crops, "--predictions", predictions]
    run_well(
        "ingest", f"results/plan/{night}.roster.tsv", "0000", "--out", f"results/crops/{night}"
    )
    run_well("predict", crops, "--model", model, "--out", predictions)
    run_well("segment", *pair, "--out", out)
    run_well("tabulate", "--plan", f"results/plan/{night}.tsv", *pair, "--out", out)
    run_well("report", out, "--crops", crops)


def tables(results: Path, name: str) -> pd.DataFrame:
    folder = results / "analyses" / "default" / "sets"
    return pd.concat([read_table(folder / n / name) for n in ("n1", "n2")], ignore_index=True)


def test_there_is_a_row_for_every_picture(results: Path) -> None:
    plants = tables(results, "plants.csv")
    assert plants["image"].tolist() == [*LEAVES, "n2/20260303_A2.png"]
    assert plants["leaf_count"].tolist() == [*LEAVES.values(), pd.NA]
    assert plants["qc_flags"].fillna("").tolist() == ["", "touches_edge", "", "unreadable"]
    assert plants["plant_id"].tolist() == ["A1", "A2", "A1", "A2"]


def test_the_network_looked_again_where_the_plant_is_small(results: Path) -> None:
    stores = [results / f"predictions/{night}.zarr" for night in ("n1", "n2")]
    windows = np.concatenate([open_array(open_store(store), "window")[:] for store in stores])
    assert (windows[:2, 2] < 384).all()
    assert (windows[3] == (0, 0, 512)).all(), "an unreadable picture shows no plant"


def test_season_and_pages(results: Path) -> None:
    analysis = results / "analyses" / "default"
    growth = read_table(analysis / "season" / "growth.csv")
    assert growth["plant_id"].tolist() == ["A1"]
    assert growth["leaf_emergence_rate"].tolist() == [0.5]
    for folder in ("sets/n1", "sets/n2", "season"):
        assert "<html" in (analysis / folder / "report.html").read_text()


def test_plan_dry_run_writes_nothing(experiment: Path, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(experiment)
    shown = run_well("plan", "--dry-run", "--out", tmp_path / "plan").stdout
    assert [line.split()[:2] for line in shown.splitlines() if line.startswith("kept")] == [
        ["kept", name] for name in [*LEAVES, "n2/20260303_A2.png"]
    ]
    assert not (tmp_path / "plan").exists()


def test_measure_gives_the_pipelines_rows(
    results: Path, experiment: Path, green_model_file: Path, tmp_path
) -> None:
    pictures = [experiment / "images" / name for name in LEAVES]
    run_well("measure", *pictures, "--out", tmp_path, "--model", green_model_file)
    ours = read_table(tmp_path / "plants.csv")[TRAITS]
    pipeline = tables(results, "plants.csv")[TRAITS].iloc[:3]
    pd.testing.assert_frame_equal(ours, pipeline, rtol=1e-6)
    assert ours["plant_area_px"].min() > 0
    numbers = [c.name for c in PLANTS if c.kind == "number"]
    leaves = [name for name in numbers if name in tables(results, "leaves.csv")]
    np.testing.assert_allclose(
        read_table(tmp_path / "leaves.csv")[leaves].to_numpy(float),
        tables(results, "leaves.csv")[leaves].to_numpy(float),
        rtol=1e-6,
    )
