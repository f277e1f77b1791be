"""A drawn rosette, its prediction, and a set of crops on disk made from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.encoding import background_direction, encode_distance, encode_embedding
from phenopipe.store import Kind, create_array, create_store

#: Crops in one shard.
SHARD = 100


def rosette(size: int, leaves: int) -> np.ndarray:
    """Draw leaves as ellipses at the golden angle, later ones on top."""
    rows, columns = np.mgrid[:size, :size]
    truth = np.zeros((size, size), np.int64)
    for leaf in range(leaves):
        angle, growth = 2.39996 * leaf, leaf / leaves
        out = size * (0.08 + 0.3 * growth)
        x, y = columns - size / 2 - out * np.cos(angle), rows - size / 2 - out * np.sin(angle)
        along = (x * np.cos(angle) + y * np.sin(angle)) / (size * (0.07 + 0.04 * growth))
        across = (y * np.cos(angle) - x * np.sin(angle)) / (size * (0.04 + 0.012 * growth))
        truth[along**2 + across**2 < 1] = leaf + 1
    return truth


def predict(
    truth: np.ndarray, dimensions: int, noise: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Make the distance map and embedding of a good prediction."""
    random = np.random.default_rng(seed)
    distance = np.zeros(truth.shape)
    for leaf in range(1, truth.max() + 1):
        inside = ndimage.distance_transform_edt(truth == leaf)
        distance = np.maximum(distance, inside / max(inside.max(), 1))
    basis = random.normal(size=(dimensions, dimensions))
    basis[:, 0] = background_direction(dimensions)
    basis = np.linalg.qr(basis)[0].T[1:]
    table = np.vstack(
        [background_direction(dimensions), basis[np.arange(truth.max()) % len(basis)]]
    )
    embedding = table[truth] + random.normal(scale=noise, size=(*truth.shape, dimensions))
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    return distance.astype(np.float32), embedding.astype(np.float32)


def crop_row(image: str, size: int) -> CropRow:
    """Return the row of a crop that is a whole picture."""
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    return CropRow(f"{image}#1", image, "1", "", size, size, *identity, 0, 0, size, size)


class CropSet:
    """Shards of crops on disk: the rosette in its eight orientations, over and over.

    Parameters
    ----------
    folder : Path
        Where to write.
    prediction : (ndarray, ndarray)
        Distance map and embedding.
    count : int
        Crops.
    """

    def __init__(self, folder: Path, prediction: tuple[np.ndarray, np.ndarray], count: int) -> None:
        distance, embedding = prediction
        stored = encode_distance(distance), encode_embedding(embedding, distance)
        maps = [_orientations(values) for values in stored]
        starts = range(0, count, SHARD)
        self.crops = [(folder / f"{at}.tsv", folder / f"{at}.zarr") for at in starts]
        self.predictions = [folder / f"{at}.predictions.zarr" for at in starts]
        for number, at in enumerate(starts):
            chosen = np.arange(at, min(at + SHARD, count))
            self._write_shard(number, chosen, *(values[chosen % 8] for values in maps))

    def _write_shard(
        self, number: int, chosen: np.ndarray, distance: np.ndarray, embedding: np.ndarray
    ) -> None:
        size = distance.shape[1]
        # Noise of two bits compresses about as well as a photograph.
        rgb = np.random.default_rng(number).integers(88, 92, (*distance.shape, 3), dtype=np.uint8)
        window = np.tile(np.array([0, 0, size], np.int32), (len(chosen), 1))
        table, store = self.crops[number]
        write_crop_table(table, [crop_row(f"{i}.png", size) for i in chosen])
        _write_store(store, "crops", {"rgb": rgb})
        maps = {"distance": distance, "embedding": embedding, "window": window}
        _write_store(self.predictions[number], "predictions", maps)


def _orientations(values: np.ndarray) -> np.ndarray:
    return np.stack([np.rot90(v, k) for v in (values, values[:, ::-1]) for k in range(4)])


def _write_store(path: Path, kind: Kind, arrays: dict[str, np.ndarray]) -> None:
    with create_store(path, kind, {"model_sha256": "0" * 64}) as store:  # of none
        for name, values in arrays.items():
            create_array(store, name, values.shape, values.dtype)[:] = values
