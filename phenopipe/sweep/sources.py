"""Where crops and their predictions lie in a folder of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phenopipe.errors import InputError
from phenopipe.own_rows import Places, stored_shards
from phenopipe.plan.joint import read_joint_sets
from phenopipe.plan.names import is_joint, set_key


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
    places : mapping of str to str
        Shard of each image, for joint shards.
    """

    sets: tuple[str, ...]
    crops: tuple[tuple[Path, Path], ...]
    predictions: tuple[Path, ...]
    places: Places


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
    keys = [set_key(name) for name in image_sets] or _predicted_sets(results, folder)
    found = {key: stored_shards(results, key) for key in keys}
    shards = {
        key: [shard for shard in paths if (folder / f"{shard}.zarr").exists()]
        for key, (paths, _) in found.items()
    }
    if not image_sets:  # one whose pictures are all gone has none
        keys = [key for key in keys if shards[key]]
        shards = {key: shards[key] for key in keys}
    if not keys or not all(shards.values()):
        empty = [folder / key for key in keys if not shards[key]] or [folder]
        raise InputError(*(f"{path}: has no predictions; run the pipeline first" for path in empty))
    every = list(dict.fromkeys(shard for paths in shards.values() for shard in paths))
    return Stored(
        tuple(keys),
        tuple((results / f"crops/{shard}.tsv", results / f"crops/{shard}.zarr") for shard in every),
        tuple(folder / f"{shard}.zarr" for shard in every),
        {image: place for _, places in found.values() for image, place in (places or {}).items()},
    )


def _predicted_sets(results: Path, folder: Path) -> list[str]:
    """Return the keys of the sets of which there are predictions."""
    keys = set()
    for path in folder.glob("*"):
        joint = results / "plan" / f"{path.name}.roster.tsv"
        keys |= set(read_joint_sets(joint)) if is_joint(path.name) else {path.name}
    return sorted(keys)
