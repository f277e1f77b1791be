"""Save room: crops of old image sets go where their pictures give the very same ones again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from phenopipe.config import Config
from phenopipe.errors import InputError, PhenopipeError
from phenopipe.files import size_of
from phenopipe.ingest.cleaned import CropOrigin, changed_pictures, clean_store
from phenopipe.plan.rosters import Rosters
from phenopipe.progress import track
from phenopipe.store import is_cleaned

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
        A line for each image set whose crops stay although they are old, and why.
    """

    stores: dict[Path, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def freed(self) -> int:
        """Bytes of all stores."""
        return sum(self.stores.values())


def clean_crops(
    config: Config,
    results: Path = Path("results"),
    *,
    delete: bool = False,
    now: float | None = None,
) -> Cleaned:
    """Remove the crops of old sets: only what its pictures give again, bit for bit.

    Predictions, labels and tables stay. Every shard is cut again from its pictures and compared
    before its crops go, so cleaning takes about as long as `ingest` did.

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
    for key in track(rosters, len(rosters), "clean"):
        stores = list(_old_stores(rosters, key, results, oldest))
        problems = [] if not stores else _unfinished(config, rosters, key, results)
        for shard, store in stores if not problems else []:
            origin = _origin(config, rosters, key, shard)
            try:
                size = size_of(store)
                _remove(store, origin, delete=delete)
                done.stores[store] = size - (size_of(store) if delete else 0)
            except PhenopipeError as error:
                problems += error.problems
        if problems:
            done.refused.append(_refusal(key, problems))
    return done


def _old_stores(
    rosters: Rosters, key: str, results: Path, oldest: float
) -> Iterator[tuple[str, Path]]:
    """Yield shard and store of crops that are there, if all of the set are old enough."""
    stores = {s: results / f"crops/{key}/{s}.zarr" for s in rosters[key].shards}
    tables = [store.with_suffix(".tsv") for store in stores.values()]
    if any(path.exists() and path.stat().st_mtime > oldest for path in tables):
        return
    for shard, store in stores.items():
        if store.is_dir() and not is_cleaned(store):
            yield shard, store


def _unfinished(config: Config, rosters: Rosters, key: str, results: Path) -> list[str]:
    """Return what a set still lacks: a run would need its crops for it."""
    needed = []
    for name, analysis in config.analyses.items():
        tables = results / "analyses" / name / "sets" / key
        predictions = results / "predictions" / analysis.model / key
        needed += [tables / "plants.csv", tables / "leaves.csv", tables / "labels.zarr"]
        needed += [tables / "report.html"]
        needed += [predictions / f"{shard}.zarr" for shard in rosters[key].shards]
    return [f"{path} is still to be made" for path in needed if not path.exists()]


def _origin(config: Config, rosters: Rosters, key: str, shard: str) -> CropOrigin:
    return CropOrigin(
        roster=str(rosters.folder / f"{key}.roster.tsv"),
        shard=shard,
        digest=rosters[key].shard_digest(shard),
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
