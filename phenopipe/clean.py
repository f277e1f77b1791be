"""Save room: crops of old image sets go where their pictures give the very same ones again."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from phenopipe.config import Config
from phenopipe.errors import InputError, PhenopipeError
from phenopipe.files import abandoned_parts, remove, size_of
from phenopipe.ingest.cleaned import CropOrigin, changed_pictures, clean_store
from phenopipe.plan.names import joint_of
from phenopipe.plan.outline import Outline
from phenopipe.plan.rosters import Rosters
from phenopipe.progress import track
from phenopipe.store_attributes import is_cleaned

DAY_S = 86_400.0
#: Reasons that are named of a set; the rest is counted.
_NAMED = 3


@dataclass
class Cleaned:
    """What went, or would go.

    Attributes
    ----------
    stores : dict of Path to int
        Bytes that each store gives free.
    refused : list of str
        A line for each image set, or joint shard, whose crops stay although they are old, and why.
    parts : dict
        Bytes that each unfinished file or store gives free that a killed job left behind.
    """

    stores: dict[Path, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    parts: dict[Path, int] = field(default_factory=dict)

    @property
    def freed(self) -> int:
        """Bytes of all stores and parts."""
        return sum(self.stores.values()) + sum(self.parts.values())


def clean_crops(
    config: Config,
    results: Path = Path("results"),
    *,
    delete: bool = False,
    now: float | None = None,
) -> Cleaned:
    """Remove the crops of old sets: only what its pictures give again, bit for bit.

    Predictions, labels and tables stay. Every shard is cut again from its pictures and compared
    before its crops go, so cleaning takes about as long as `ingest` did. A joint shard's go when
    all of its sets are old. What killed jobs left unfinished goes too.

    Parameters
    ----------
    config : Config
        The configuration; ``retention`` says what is old.
    results : Path
        The project's results.
    delete : bool
        Whether to remove them; by default they are only listed, by names and times of pictures.
    now : float, optional
        Seconds since 1970; by default the clock's.

    Returns
    -------
    Cleaned
        Stores and their bytes, and the sets that are refused.

    Raises
    ------
    InputError
        If the configuration does not say what is old.
    StoreError
        If the workflow never ran here, or a roster is damaged.
    """
    if config.retention.crops_days is None:
        raise InputError(
            "retention.crops_days: is null, so that nothing is ever cleaned; give days"
        )
    oldest = (time.time() if now is None else now) - DAY_S * config.retention.crops_days
    rosters = Rosters(config, results / "plan", scan=False)
    done = Cleaned()
    units = _units(rosters)
    for part in abandoned_parts(results):
        done.parts[part] = size_of(part)
        if delete:
            remove(part)
    for name, unit in track(units.items(), len(units), "clean"):
        old = all(_is_old(rosters[key], results, oldest) for key in unit.sets)
        stores = list(_stores(name, unit, results)) if old else []
        problems = _unfinished(config, rosters, unit.sets, results) if stores else []
        for shard, store in stores if not problems else []:
            origin = _origin(config, rosters, name, shard)
            try:
                size = size_of(store)
                _remove(store, origin, delete=delete)
                done.stores[store] = size - (size_of(store) if delete else 0)
            except PhenopipeError as error:
                problems += error.problems
        if problems:
            done.refused.append(_refusal(name, problems))
    return done


@dataclass
class _Unit:
    """Shards that are cleaned together: a set's own, or a joint one if all its sets may be."""

    sets: list[str] = field(default_factory=list)
    shards: list[str] = field(default_factory=list)


def _units(rosters: Rosters) -> dict[str, _Unit]:
    """Return what is cleaned together, by the name under which its stores lie."""
    units: defaultdict[str, _Unit] = defaultdict(_Unit)
    for key, outline in rosters.items():
        for place in outline.shards:
            unit, shard = units[joint_of(place) or key], place.rpartition("/")[2]
            unit.sets += [] if key in unit.sets[-1:] else [key]
            unit.shards += [] if shard in unit.shards[-1:] else [shard]
    return units


def _is_old(outline: Outline, results: Path, oldest: float) -> bool:
    """Tell whether all crops of a set that are there are old enough."""
    tables = [results / f"crops/{path}.tsv" for path in outline.shard_paths]
    return all(not path.exists() or path.stat().st_mtime <= oldest for path in tables)


def _stores(name: str, unit: _Unit, results: Path) -> Iterator[tuple[str, Path]]:
    """Yield shard and store of crops that are there."""
    for shard in unit.shards:
        store = results / "crops" / name / f"{shard}.zarr"
        if store.is_dir() and not is_cleaned(store):
            yield shard, store


def _unfinished(config: Config, rosters: Rosters, keys: Iterable[str], results: Path) -> list[str]:
    """Return what sets still lack: a run would need their crops for it."""
    needed = []
    for key, (name, analysis) in product(keys, config.analyses.items()):
        tables = results / "analyses" / name / "sets" / key
        predictions = results / "predictions" / analysis.model
        needed += [tables / "plants.csv", tables / "leaves.csv", tables / "labels.zarr"]
        needed += [tables / "report.html"]
        needed += [predictions / f"{path}.zarr" for path in rosters[key].shard_paths]
    return [f"{path} is still to be made" for path in dict.fromkeys(needed) if not path.exists()]


def _origin(config: Config, rosters: Rosters, name: str, shard: str) -> CropOrigin:
    return CropOrigin(
        roster=str(rosters.folder / f"{name}.roster.tsv"),
        shard=shard,
        digest=rosters.shard_digest(name, shard),
        image_root=config.plan.image_root,
        settings=config.ingest.model_dump(mode="json"),
    )


def _remove(store: Path, origin: CropOrigin, *, delete: bool) -> None:
    if delete:
        clean_store(store, origin)
    elif changed := changed_pictures(origin.rows(), Path(origin.image_root)):
        raise InputError(*changed)


def _refusal(key: str, problems: list[str]) -> str:
    more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
    return f"{key}: {'; '.join(problems[:_NAMED])}{more}"
