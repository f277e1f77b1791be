"""Stored crops and predictions of drawn discs, and their true label maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.encoding import background_direction, encode_distance, encode_embedding
from phenopipe.store import create_array, create_store

#: Side of predictions and crops; images are twice as large.
SIZE, SCALE = 48, 2
LEAVES = [[(12, 12)], [(12, 12), (12, 34)], [(12, 12), (12, 34), (34, 22)]]
TO_IMAGE = np.array([[SCALE, 0.0, 0.5], [0.0, SCALE, 0.5]])


def truth_of(leaves: int, side: int = SIZE):
    """Label map of discs in pixels of a picture of this side."""
    rows, columns = (np.mgrid[:side, :side] + 0.5) * SIZE / side - 0.5
    truth = np.zeros((side, side), np.uint16)
    for label, (row, column) in enumerate(LEAVES[leaves - 1] if leaves else [], 1):
        truth[np.hypot(rows - row, columns - column) <= 8] = label
    return truth


def predict(leaves: int, height: float = 1.0):
    """A perfect prediction of discs whose distance maps peak at `height`; each leaf has a false
    summit of 0.3 beside it, which a threshold below takes for a leaf of its own."""
    truth = truth_of(leaves)
    distance = np.zeros(truth.shape)
    vectors = np.linalg.qr(
        np.column_stack([background_direction(8), np.random.default_rng(0).normal(size=(8, 7))])
    )[0].T[1:]
    table = np.vstack([background_direction(8), vectors])
    embedding = table[truth]
    for label in range(1, leaves + 1):
        inside = ndimage.distance_transform_edt(truth == label)
        distance = np.maximum(distance, height * inside / inside.max())
        row, column = LEAVES[leaves - 1][label - 1]
        spot = np.s_[row + 10 : row + 14, column - 2 : column + 2]
        distance[spot], embedding[spot] = 0.3, table[label + 3]
    return encode_distance(distance), encode_embedding(embedding, distance)


def write_shard(folder: Path, name: str, leaves: list[int], *, image_set: str = "n1"):
    """Write a shard of crops and predictions; returns its table, store and predictions."""
    table, crops = (
        folder / f"crops/{image_set}/{name}.tsv",
        folder / f"crops/{image_set}/{name}.zarr",
    )
    predictions = folder / f"predictions/net/{image_set}/{name}.zarr"
    row = CropRow(
        *("", "", "1", ""), 2 * SIZE, 2 * SIZE, *TO_IMAGE.ravel().tolist(), 0, 0, SIZE, SIZE
    )
    images = [f"{image_set}/p{name}{number}.png" for number in range(len(leaves))]
    rows = [replace(row, crop_id=f"{image}#1", image=image) for image in images]
    with create_store(crops, "crops") as group:
        create_array(group, "rgb", (len(rows), SIZE, SIZE, 3), np.uint8)[:] = 90
    write_crop_table(table, rows)
    maps = [np.stack(stack) for stack in zip(*map(predict, leaves), strict=True)]
    windows = np.full((len(rows), 3), (0, 0, SIZE), np.int32)
    attributes = {"model_sha256": "ab" * 32}
    with create_store(predictions, "predictions", attributes) as group:
        for array, values in zip(
            ("distance", "embedding", "window"), (*maps, windows), strict=True
        ):
            create_array(group, array, values.shape, values.dtype)[:] = values
    return (table, crops), predictions


def write_truth(folder: Path, images: dict[str, int]) -> Path:
    """Write label maps of whole images, NAME.png."""
    for name, leaves in images.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), truth_of(leaves, SCALE * SIZE))
    return folder
