"""What an image set cost: time by stage, as the jobs' logs say, and room on the disk."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from phenopipe.files import size_of
from phenopipe.job_files import JobFiles, read_job, set_jobs
from phenopipe.own_rows import Places, own_rows
from phenopipe.plan.names import joint_of, place_of, shard_path
from phenopipe.report.page import format_number
from phenopipe.tsv import read_tsv

_CROPS = ("zarr", "tsv")


@dataclass(frozen=True)
class StageCost:
    """Time that the jobs of a stage took.

    Attributes
    ----------
    wall_s : float
        Seconds from start to end, summed over jobs; not a number if it is not known of all.
    cpu_s : float
        Seconds of processor time, as wall_s.
    gpu_s : float
        Seconds of jobs that computed on GPUs, times their number; as wall_s.
    """

    wall_s: float
    cpu_s: float
    gpu_s: float


@dataclass(frozen=True)
class CostFiles:
    """Where to read what a set cost.

    Attributes
    ----------
    jobs : mapping of str to sequence of Path
        Logs by stage, without their ending.
    stored : mapping of str to sequence of Path
        Files and stores by what they hold.
    shares : mapping of Path to float
        The set's share, 0..1, of those jobs and stores that it shares with other sets: by crops.
    """

    jobs: JobFiles = field(default_factory=dict)
    stored: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    shares: Mapping[Path, float] = field(default_factory=dict)


def set_cost_files(
    key: str,
    tables: Sequence[str],
    model: str,
    analysis: str,
    root: Path = Path(),
    places: Places | None = None,
) -> CostFiles:
    """Name the files that say what an image set cost.

    Parameters
    ----------
    key : str
        Key of the set.
    tables : sequence of str
        Tables of its shards' crops.
    model, analysis : str
        Names of the configuration.
    root : Path
        The project's folder.
    places : mapping of str to str, optional
        Shard of each image of the set, needed where one is a joint shard.

    Raises
    ------
    StoreError
        If the table of a joint shard is missing or damaged.
    """
    shards = [place_of(table) for table in tables]
    paths = [shard_path(key, shard) for shard in shards]
    results = root / "results"
    out = results / "analyses" / analysis / "sets" / key
    kinds = ("csv", "parquet", "schema.json")
    jobs = set_jobs(key, shards, model, analysis, root / "logs")
    crops = [[results / "crops" / f"{path}.{kind}" for kind in _CROPS] for path in paths]
    predictions = [results / "predictions" / model / f"{path}.zarr" for path in paths]
    shares: dict[Path, float] = {}
    for number, table in enumerate(tables):
        if joint_of(shards[number]):
            shared = [*crops[number], predictions[number]]
            shared += [jobs["ingest"][number], jobs["predict"][number]]
            shares |= dict.fromkeys(shared, _own_share(table, places))
    return CostFiles(
        jobs=jobs,
        stored={
            "crops": [path for pair in crops for path in pair],
            "predictions": predictions,
            "labels": [out / "labels.zarr"],
            "tables": [
                out / "measurements.parquet",
                *(out / f"{table}.{kind}" for table in ("plants", "leaves") for kind in kinds),
            ],
        },
        shares=shares,
    )


def _own_share(table: str, places: Places | None) -> float:
    """Return the share of a joint shard's crops that are a set's own."""
    columns, rows = read_tsv(table)
    images = [row[columns.index("image")] for row in rows]
    return len(own_rows(table, images, places)) / max(len(images), 1)


def cost_facts(files: CostFiles, images: int) -> list[tuple[str, str]]:
    """Say what an image of a set cost.

    Parameters
    ----------
    files : CostFiles
        What to read.
    images : int
        Images of the set.

    Returns
    -------
    list of (str, str)
        Name and value of each fact, for people; a dash where it is not known, because logs are
        gone for instance. Empty for a set without images.

    Raises
    ------
    StoreError
        If a log is damaged.
    """
    if not images or not files.jobs:
        return []
    stages = {stage: stage_cost(stems, files.shares) for stage, stems in files.jobs.items()}
    sizes = {
        name: sum(size_of(path) * files.shares.get(path, 1) for path in paths)
        for name, paths in files.stored.items()
    }
    wall = sum(cost.wall_s for cost in stages.values())
    per_hour = 3600 * images / wall if wall else math.nan
    return [
        ("images an hour, one job after another", format_number(per_hour)),
        ("CPU-s an image", _shares({s: c.cpu_s for s, c in stages.items()}, images)),
        ("GPU-s an image", _shares({s: c.gpu_s for s, c in stages.items()}, images)),
        ("bytes an image on the disk", _shares(sizes, images)),
    ]


def stage_cost(stems: Sequence[Path], shares: Mapping[Path, float] | None = None) -> StageCost:
    """Sum up what jobs took.

    Parameters
    ----------
    stems : sequence of Path
        Logs of the jobs, without their ending.
    shares : mapping of Path to float, optional
        What part of a job counts, 0..1; by default all.

    Raises
    ------
    StoreError
        If a log is damaged.
    """
    found = [(_job_cost(stem), (shares or {}).get(stem, 1.0)) for stem in stems]
    return StageCost(
        sum(cost.wall_s * share for cost, share in found),
        sum(cost.cpu_s * share for cost, share in found),
        sum(cost.gpu_s * share for cost, share in found),
    )


def _job_cost(stem: Path) -> StageCost:
    job = read_job(stem)
    if job is None:
        return StageCost(math.nan, math.nan, math.nan)
    return StageCost(job.wall_s, job.cpu_s, job.wall_s * job.gpus)


def _shares(parts: Mapping[str, float], images: int) -> str:
    """Write a sum and its parts, each for one image."""
    return f"{format_number(sum(parts.values()) / images)} ({', '.join(_each(parts, images))})"


def _each(parts: Mapping[str, float], images: int) -> Iterator[str]:
    for name, value in parts.items():
        yield f"{name} {format_number(value / images)}"
