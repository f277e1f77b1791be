"""Shards of a set on the disk: crops of up to three leaves, and good predictions of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from segment_scenes import directions, discs, distance_of, embedding_of

from phenopipe.encoding import (
    encode_distance,
    encode_embedding,
)
from phenopipe.segment import segment_set
from phenopipe.store import create_array, create_store, open_store
from phenopipe.tsv import write_tsv

SIZE = 40
COLUMNS = [
    *("crop_id", "image", "pot", "image_height", "image_width"),
    *("m00", "m01", "m02", "m10", "m11", "m12"),
    *("valid_left", "valid_top", "valid_right", "valid_bottom"),
    *("mm_per_px", "scale_source", "status", "reason", "brightness", "sharpness"),
]


def scene(index):
    """RGB, distance and embedding of crop number `index`, which has `index % 4` leaves."""
    random = np.random.default_rng(index)
    centres = [(10, 10), (10, 29), (29, 18)][: index % 4]
    truth = discs((SIZE, SIZE), centres, 7)
    distance = distance_of(truth)
    embedding = embedding_of(truth, directions(3, dimensions=4, seed=index), noise=0.02)
    rgb = random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    return rgb, encode_distance(distance), encode_embedding(embedding, distance)


def row(index, status="ok", valid=(0, 0, SIZE, SIZE)):
    matrix = [2.0, 0.0, 5.0 + index, 0.0, 2.0, 7.0] if status == "ok" else [""] * 6
    reason = "" if status == "ok" else "ends too early"
    cells = [f"c{index:03d}", f"n1/im {index}.png", "p", 80, 80, *matrix, *valid, "", "none"]
    return [str(cell) for cell in (*cells, status, reason, "", "")]


class Shards:
    """Shards on disk, and what `segment_set` needs to read them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.crops: list[tuple[Path, Path]] = []
        self.predictions: list[Path] = []
        self.labels, self.measurements = folder / "out/labels.zarr", folder / "out/m.parquet"

    def add(self, indices, *, size=SIZE, windows=None, dimensions=4, model="ab" * 32, **changed):
        """Write one shard; `changed` maps "c<index>" to other cells of its row."""
        name = f"s{len(self.crops):03d}"
        table, rgb_path = self.folder / f"{name}.tsv", self.folder / f"{name}.zarr"
        pixels = [scene(index) for index in indices]
        empty = [
            np.zeros((0, size, size, 3)),
            np.zeros((0, size, size)),
            np.zeros((0, size, size, 4)),
        ]
        stacks = [np.stack(parts) for parts in zip(*pixels, strict=True)] if pixels else empty
        write_tsv(table, COLUMNS, [changed.get(f"c{i}", row(i)) for i in indices])
        self._store(rgb_path, "crops", {"rgb": (stacks[0], np.uint8)})
        prediction = self.folder / f"{name}.pred.zarr"
        embedding = np.resize(stacks[2], (*stacks[2].shape[:-1], dimensions))
        maps = {"distance": (stacks[1], np.uint8), "embedding": (embedding, np.int8)}
        where = windows or [(0, 0, size)] * len(indices)
        maps["window"] = np.reshape(where, (len(indices), 3)), np.int32
        self._store(prediction, "predictions", maps, {"model_sha256": model})
        self.crops.append((table, rgb_path))
        self.predictions.append(prediction)
        return self

    @staticmethod
    def _store(path, kind, arrays, attributes=None):
        with create_store(path, kind, attributes) as group:
            for name, (values, dtype) in arrays.items():
                create_array(group, name, values.shape, dtype)[:] = values

    def run(self, **options):
        segment_set(self.crops, self.predictions, self.labels, self.measurements, **options)
        labels = np.asarray(open_store(self.labels)["labels"][:])
        return labels, pd.read_parquet(self.measurements)
