"""File systems of clusters suffer from many files."""

from __future__ import annotations

import numpy as np
import pytest
from experiment import save_blind_model, write_picture

from phenopipe.config import PredictSettings, check_config
from phenopipe.ingest import ingest_shard
from phenopipe.plan.rosters import Rosters
from phenopipe.predict import predict_shard
from phenopipe.segment import segment_set

TRAY = {"rows": 20, "cols": 25, "corners": [[0, 0], [400, 0], [400, 320], [0, 320]]}


@pytest.fixture
def config(tmp_path):
    """Two trays of 500 pots; all else as it is by default."""
    for number in range(2):
        rgb = np.full((320, 400, 3), 90 + number, np.uint8)
        write_picture(tmp_path / f"images/night/{number}.png", rgb)
    plan = {"image_root": str(tmp_path / "images"), "settle_seconds": 0}
    ingest = {"crop_size": 64, "cameras": {"default": {"pots": TRAY}}}
    return check_config({"plan": plan, "ingest": ingest})


def test_a_thousand_crops_are_at_most_20_files(config, tmp_path):
    rosters = Rosters(config, tmp_path / "plan", scan=True)
    rosters.write()
    save_blind_model(tmp_path / "net.safetensors")
    crops, predictions = [], []
    for shard in rosters["night"].shards:
        table, store = tmp_path / f"{shard}.tsv", tmp_path / f"crops/{shard}.zarr"
        roster = tmp_path / "plan/night.roster.tsv"
        ingest_shard(roster, shard, config.plan.image_root, store, table, config.ingest)
        crops.append((table, store))
        predictions.append(tmp_path / f"predictions/{shard}.zarr")
        settings = PredictSettings(batch_size=50, network_size=64)
        model = tmp_path / "net.safetensors"
        predict_shard(store, model, predictions[-1], settings, table=table)
    labels, measurements = tmp_path / "labels.zarr", tmp_path / "measurements.parquet"
    segment_set(crops, predictions, labels, measurements)
    stores = [*(store for _, store in crops), *predictions, labels]
    files = sum(path.is_file() for store in stores for path in store.rglob("*"))
    assert sum(len(table.read_text().splitlines()) - 1 for table, _ in crops) == 1000
    # Snakemake adds a file of its own to every folder that a rule writes.
    assert files + len(stores) <= 20
