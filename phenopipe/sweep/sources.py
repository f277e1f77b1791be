"""Where crops and their predictions lie in a folder of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phenopipe.errors import InputError
from phenopipe.plan.names import set_key


@dataclass(frozen=True)
class Stored:
    """Shards of image sets that a model's predictions are stored of.

    Attributes
    ----------
    sets : tuple of str
        Keys of the sets.
    crops : tuple of (Path, Path)
        Table and store of each shard's crops.
    predictions : tuple of Path
        Store of each shard's predictions.
    """

    sets: tuple[str, ...]
    crops: tuple[tuple[Path, Path], ...]
    predictions: tuple[Path, ...]


def find_predictions(results: Path, model: str, image_sets: Sequence[str]) -> Stored:
    """Find the stored predictions of a model.

    Parameters
    ----------
    results : Path
        Folder of results.
    model : str
        Name of the model.
    image_sets : sequence of str
        Sets; by default all.

    Raises
    ------
    InputError
        If a set, or everything, has no predictions by this model.
    """
    folder = results / "predictions" / model
    keys = [set_key(name) for name in image_sets] or sorted(p.name for p in folder.glob("*"))
    stores = {key: sorted((folder / key).glob("*.zarr")) for key in keys}
    if not keys or not all(stores.values()):
        empty = [folder / key for key in keys if not stores[key]] or [folder]
        raise InputError(*(f"{path}: has no predictions; run the pipeline first" for path in empty))
    pairs = [(results / "crops" / key / store.name, store) for key in keys for store in stores[key]]
    return Stored(
        tuple(keys),
        tuple((crops.with_suffix(".tsv"), crops) for crops, _ in pairs),
        tuple(store for _, store in pairs),
    )
