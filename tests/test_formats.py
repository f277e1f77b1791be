"""docs/formats.md names what the stages write, no more and no less."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from green_plants import draw_pot, write_picture
from safetensors import safe_open

from phenopipe.compare.pictures import PairPictures
from phenopipe.compare.sources import set_paths
from phenopipe.config import IngestSettings, ModelSettings, check_config
from phenopipe.encoding import SURE_COSINE, SURE_DISTANCE, background_direction
from phenopipe.ingest import borrow_crops, ingest_shard
from phenopipe.ingest.cleaned import CropOrigin, clean_store
from phenopipe.model.find import file_sha256
from phenopipe.nightly import Night
from phenopipe.plan import read_roster, write_plan
from phenopipe.plan.rosters import Rosters
from phenopipe.predict import predict_shard
from phenopipe.provenance import table_facts
from phenopipe.season import write_season
from phenopipe.segment import segment_set
from phenopipe.segment.image_set import CROPS_A_FILE, LARGEST_TASK
from phenopipe.store import open_store
from phenopipe.synth import render_set
from phenopipe.tabulate import Provenance, read_table, tabulate_set
from phenopipe.tabulate.summary import write_summary
from phenopipe.train import train_model
from phenopipe.tsv import read_tsv

torch.set_num_threads(1)
PAGE = Path(__file__).resolve().parents[1] / "docs" / "formats.md"
TEXT = PAGE.read_text(encoding="utf-8")
SETS = ("night_01", "night_02")
ARROW = {
    "text": (pa.string(), pa.large_string()),
    "time": (pa.string(), pa.large_string()),
    "integer": (pa.int64(),),
    "number": (pa.float64(),),
    "boolean": (pa.bool_(),),
}


def rows(heading: str, first: str) -> list[list[str]]:
    """Return the rows of the table with the header `first` below a heading of the page."""
    start = re.search(rf"^#+ {re.escape(heading)}$", TEXT, re.MULTILINE)
    assert start, f"docs/formats.md has no heading {heading!r}"
    table = re.search(rf"^\| {first} \|.*\n\|.*\n((?:\|.*\n)+)", TEXT[start.end() :], re.MULTILINE)
    assert table, f"docs/formats.md has no table of {first} below {heading!r}"
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table[1].splitlines()
    ]


def names(heading: str, first: str) -> list[str]:
    return [cells[0].strip("`") for cells in rows(heading, first)]


@pytest.fixture(scope="module")
def results(tmp_path_factory, green_model_file) -> Path:
    """Run all stages over two nights of two pots, one of them unreadable."""
    root = tmp_path_factory.mktemp("experiment")
    config = check_config(
        {
            "plan": {
                "image_root": str(root / "images"),
                "pattern": "{timestamp:%Y%m%d}_{camera}_{pot}_{genotype}-{replicate:digits}.png",
                "settle_seconds": 0,
            },
            "ingest": {"crop_size": 96},
            "predict": {"network_size": 96},
        }
    )
    for day, name in enumerate(SETS, start=1):
        for pot in (1, 2):
            file = root / "images" / name / f"2024040{day}_cam1_P{pot}_Col-0-{pot}.png"
            write_picture(file, draw_pot(96, pot + 1))
    file.write_bytes(file.read_bytes()[:100])
    out = root / "results"
    Rosters(config, out / "plan", scan=True).write()
    for name in SETS:
        run_set(out, name, config, green_model_file)
    tables = [out / "analyses/default/sets" / name for name in SETS]
    write_season(
        plants=[folder / "plants.csv" for folder in tables],
        leaves=[folder / "leaves.csv" for folder in tables],
        settings=config.season,
        out=out / "analyses/default/season",
    )
    write_summary([t / "plants.csv" for t in tables], out / "analyses/default/summary.json")
    return out


def run_set(out: Path, name: str, config, model: Path) -> None:
    roster = out / f"plan/{name}.roster.tsv"
    write_plan(read_roster(roster), out / f"plan/{name}.tsv")
    store, table = out / f"crops/{name}/0000.zarr", out / f"crops/{name}/0000.tsv"
    ingest_shard(roster, "0000", config.plan.image_root, store, table, config.ingest)
    predictions = out / f"predictions/default/{name}/0000.zarr"
    predict_shard(store, model, predictions, config.predict)
    folder = out / f"analyses/default/sets/{name}"
    measurements = folder / "measurements.parquet"
    segment_set([(table, store)], [predictions], folder / "labels.zarr", measurements)
    tabulate_set(
        plan=out / f"plan/{name}.tsv",
        crops=[table],
        measurements=measurements,
        plants_sheet=None,
        quality=config.analyses["default"].quality,
        provenance=Provenance("default", "default", file_sha256(model)),
        out=folder,
        facts=table_facts(config, "default", datetime.now().astimezone(), name, [predictions]),
    )


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "demo"
    training = {
        **{"preset": "tiny", "embedding_dim": 2, "image_size": 64, "steps": 1, "batch_size": 1},
        **{"workers": 0, "validation_images": 1, "gate_margin": 0, "learning_rate": 1e-9},
    }
    settings = ModelSettings.model_validate({"weights": None, "train": training})
    train_model("demo", settings, folder)
    return folder


def test_every_file_is_in_the_layout(results: Path) -> None:
    listed = " ".join(cells[0] for cells in rows("Stored formats", "path"))
    known = set()
    for pattern in re.findall(r"`([^`]+)`", listed):
        expanded = pattern.removeprefix("results/")
        for field, value in (("analysis", "default"), ("model", "default"), ("shard", "0000")):
            expanded = expanded.replace(f"{{{field}}}", value)
        known |= {expanded.replace("{set}", name) for name in SETS}
    sets, season = "analyses/default/sets/night_01", "analyses/default/season"
    known |= {f"{sets}/leaves.csv", f"{sets}/leaves.csv".replace("01", "02")}
    known |= {f"{season}/{name}.csv" for name in ("leaves", "growth", "tracks")}
    for path in results.rglob("*"):
        if path.is_dir() or ".zarr/" in str(path):
            continue
        at = str(path.relative_to(results))
        at = re.sub(r"(plants|leaves|growth|tracks)\.(parquet|schema\.json)$", r"\1.csv", at)
        assert at in known, f"docs/formats.md does not list {at}"
    for store in results.rglob("*.zarr"):
        assert str(store.relative_to(results)) in known


@pytest.mark.parametrize(
    ("heading", "file", "further"),
    [
        ("Roster", "plan/night_02.roster.tsv", ["replicate"]),
        ("Plan", "plan/night_02.tsv", ["replicate"]),
        ("Table of crops", "crops/night_02/0000.tsv", []),
    ],
)
def test_text_tables(results: Path, heading: str, file: str, further: list[str]) -> None:
    columns, cells = read_tsv(results / file)
    assert columns == names(heading, "column") + further
    assert len(cells) == 2


@pytest.mark.parametrize(
    ("heading", "store"),
    [
        ("Crops", "crops/night_02/0000.zarr"),
        ("Predictions", "predictions/default/night_02/0000.zarr"),
        ("Labels", "analyses/default/sets/night_02/labels.zarr"),
    ],
)
def test_stores(results: Path, heading: str, store: str) -> None:
    group = open_store(results / store)
    attributes = {cells[0].strip("`"): cells[1] for cells in rows(heading, "attribute")}
    assert list(group.attrs) == list(attributes)
    assert f"`{group.attrs['format']}`" == attributes["format"]
    arrays = rows(heading, "array")
    assert sorted(group.array_keys()) == sorted(cells[0].strip("`") for cells in arrays)
    sizes = {"N": 2, "S": 96, "E": 4, "3": 3}
    for name, kind, shape, _ in arrays:
        array = group[name.strip("`")]
        assert array.dtype == np.dtype(kind)
        assert array.shape == tuple(sizes[side] for side in shape.strip("()").split(", "))
        assert array.chunks == (1, *array.shape[1:])
        assert array.shards == array.shape


def test_numbers_of_the_encoding() -> None:
    text = " ".join(TEXT.split())
    degrees = round(np.rad2deg(np.arccos(SURE_COSINE)), 6)
    assert f"distance is at most {SURE_DISTANCE} and its" in text
    assert f"embedding within {degrees:g} degrees of that direction" in text
    assert "(-1, ..., -1) / sqrt(E)" in text
    np.testing.assert_allclose(background_direction(9), np.full(9, -1 / 3), rtol=1e-6)
    assert f"a file for every {CROPS_A_FILE:,} crops" in text
    assert f"of at most {LARGEST_TASK} crops" in text


def test_measurements(results: Path) -> None:
    schema = pq.read_schema(results / "analyses/default/sets/night_02/measurements.parquet")
    assert schema.names == names("Measurements", "column")
    for name, kind, *_ in rows("Measurements", "column"):
        assert schema.field(name.strip("`")).type in ARROW[kind], name


@pytest.mark.parametrize(
    ("heading", "file", "further"),
    [
        ("`plants.csv`", "sets/night_02/plants", ["replicate"]),
        ("`leaves.csv`", "sets/night_02/leaves", []),
        ("`plants.csv`", "season/plants", ["replicate"]),
        ("`leaves.csv`", "season/leaves", []),
        ("The season's tables", "season/growth", []),
    ],
)
def test_tables(results: Path, heading: str, file: str, further: list[str]) -> None:
    path = results / "analyses/default" / file
    documented = names(heading, "column") + further
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as text:
        assert next(csv.reader(text)) == documented
    schema = pq.read_schema(path.with_suffix(".parquet"))
    assert schema.names == documented
    for name, kind, *_ in rows(heading, "column"):
        assert schema.field(name.strip("`")).type in ARROW[kind], name


def test_schemas_of_tables(results: Path) -> None:
    described = json.loads(
        (results / "analyses/default/sets/night_02/plants.schema.json").read_text()
    )
    start = TEXT.index("- `NAME.schema.json`")
    sentence = TEXT[start : TEXT.index("\n\n", start)]
    keys = [*described, *described["about"], *described["columns"][0]]
    assert set(re.findall(r"`(\w+)`", sentence)) == set(keys)


def test_summary(results: Path) -> None:
    sets = json.loads((results / "analyses/default/summary.json").read_text())["sets"]
    assert list(sets) == list(SETS)
    assert list(sets["night_02"]) == names("Summary", "summary key")
    (failure,) = sets["night_02"]["failures"]
    (meaning,) = (m for name, m in rows("Summary", "summary key") if name == "`failures`")
    assert re.findall(r"`(\w+)`", meaning) == list(failure)


def test_what_made_a_table(results: Path) -> None:
    facts = {name for cell in names("What made a table", "fact") for name in cell.split("`, `")}
    for table in ("sets/night_02/plants", "sets/night_02/leaves"):
        path = results / "analyses/default" / f"{table}.schema.json"
        assert set(json.loads(path.read_text())["about"]) == facts


@pytest.fixture
def cleaned(results: Path, tmp_path: Path) -> Path:
    """A cleaned copy of a set's crops."""
    store = tmp_path / "0000.zarr"
    shutil.copytree(results / "crops/night_01/0000.zarr", store)
    roster, crop_size = results / "plan/night_01.roster.tsv", 96
    digest = read_roster(roster).shard_digest("0000")
    settings = IngestSettings(crop_size=crop_size).model_dump(mode="json")
    images = str(results.parent / "images")
    clean_store(store, CropOrigin(str(roster), "0000", digest, images, settings))
    return store


def test_plants_of_cleaned_crops_are_drawn_in_a_comparison(results: Path, cleaned: Path) -> None:
    whole = set_paths(results, "default", "default", "night_01")
    plants = read_table(results / "analyses/default/sets/night_01/plants.csv")
    changes = plants.assign(leaf_count_a=1, leaf_count_b=1)
    drawn, again = (
        [picture.uri for picture in PairPictures([paths]).show(changes)]
        for paths in (whole, replace(whole, crops=(cleaned,)))
    )
    assert len(drawn) == len(plants)
    assert all(drawn)
    assert drawn == again
    assert [path.name for path in cleaned.parent.iterdir()] == ["0000.zarr"]


def test_cleaned_crops(results: Path, cleaned: Path, tmp_path: Path) -> None:
    store = cleaned
    documented = names("Crops", "attribute of cleaned crops")
    assert list(open_store(store, "cleaned crops").attrs) == documented
    with borrow_crops([store, results / "crops/night_02/0000.zarr"]) as (borrowed, own):
        assert own == results / "crops/night_02/0000.zarr"
        made, before = (
            open_store(path, "crops") for path in (borrowed, results / "crops/night_01/0000.zarr")
        )
        np.testing.assert_array_equal(made["rgb"][:], before["rgb"][:])
        assert dict(made.attrs) == dict(before.attrs)
    assert [path.name for path in tmp_path.iterdir()] == ["0000.zarr"]


def test_nights() -> None:
    night = Night("trial", "2026-03-01T02:00:00+01:00", "node", "0.1")
    assert list(night.as_json()) == names("Nights", "night key")


def test_model_folder(model_folder: Path) -> None:
    with safe_open(model_folder / "model.safetensors", "pt") as file:
        assert list(file.metadata()) == ["phenopipe"]
        header = json.loads(file.metadata()["phenopipe"])
        kinds = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert kinds == {torch.float16, torch.int64}
    assert set(header) == set(names("Models", "header key"))
    metrics = json.loads((model_folder / "metrics.json").read_text())
    assert list(metrics) == names("Models", "metrics key")
    assert list(metrics["candidate"]) == names("Models", "score key")
    documented = set(names("Models", "file"))
    written = {f"training/{path.name}" for path in (model_folder / "training").iterdir()}
    left_by_others = {
        *("replaced.safetensors", "rejected.safetensors", "diverged.csv", "diverged.html")
    }
    assert written == documented - {f"training/{name}" for name in left_by_others}
    assert {path.name for path in model_folder.iterdir()} == {
        *("model.safetensors", "metrics.json", "model_card.md", "training")
    }


def test_training_files(model_folder: Path) -> None:
    meanings = dict(rows("Models", "file"))
    with safe_open(model_folder / "training/checkpoint.safetensors", "pt") as file:
        prefixes = {name.split(".")[0] for name in file.keys()}  # noqa: SIM118
        assert list(file.metadata()) == ["state"]
        assert set(json.loads(file.metadata()["state"])) == {"step", "settings"}
    named = re.findall(r"`(\w+)[.`]", meanings["`training/checkpoint.safetensors`"])
    # The loss is scaled in float16 alone, and this training is in another arithmetic.
    assert prefixes | {"state", "step", "settings", "scaler"} == set(named)
    header = (model_folder / "training/losses.csv").read_text().splitlines()[0]
    assert header.replace(",", ", ") in meanings["`training/losses.csv`"]


def test_truth_of_the_demo(tmp_path: Path) -> None:
    settings = check_config(
        {"synth": {"nights": 1, "plants": 1, "image_size": 64, "empty_pots": 0}}
    ).synth
    render_set(settings, "night_01", tmp_path / "images", tmp_path / "truth")
    pictures = {path.name for path in (tmp_path / "images").iterdir()}
    truth = {path.name for path in (tmp_path / "truth").iterdir()} - {"plants.tsv", "leaves.tsv"}
    assert truth < pictures and len(pictures - truth) == 1  # the one cut short
    labels = cv2.imread(str(tmp_path / "truth" / truth.pop()), cv2.IMREAD_UNCHANGED)
    assert labels.dtype == np.uint16
    assert labels.shape == (64, 64)
    meanings = TEXT.split("## The demo's truth")[1].split("\n## ")[0]
    for name in ("plants.tsv", "leaves.tsv"):
        columns = (tmp_path / "truth" / name).read_text().splitlines()[0].split("\t")
        assert all(f"`{column}`" in meanings for column in columns)
