"""What an image set cost: time by stage, from Snakemake's benchmarks, and room on the disk."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from phenopipe.errors import StoreError
from phenopipe.files import size_of
from phenopipe.job_files import JobFiles, read_job, set_jobs, with_ending
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
        Logs and benchmarks by stage, without their endings.
    stored : mapping of str to sequence of Path
        Files and stores by what they hold.
    """

    jobs: JobFiles = field(default_factory=dict)
    stored: Mapping[str, Sequence[Path]] = field(default_factory=dict)


def set_cost_files(
    key: str,
    tables: Sequence[str],
    model: str,
    analysis: str,
    root: Path = Path(),
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
    """
    shards = [Path(table).stem for table in tables]
    results = root / "results"
    out = results / "analyses" / analysis / "sets" / key
    kinds = ("csv", "parquet", "schema.json")
    return CostFiles(
        jobs=set_jobs(key, shards, model, analysis, root / "logs"),
        stored={
            "crops": [results / "crops" / key / f"{s}.{kind}" for s in shards for kind in _CROPS],
            "predictions": [results / "predictions" / model / key / f"{s}.zarr" for s in shards],
            "labels": [out / "labels.zarr"],
            "tables": [
                out / "measurements.parquet",
                *(out / f"{table}.{kind}" for table in ("plants", "leaves") for kind in kinds),
            ],
        },
    )


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
        Name and value of each fact, for people; a dash where it is not known, because benchmarks
        are gone for instance. Empty for a set without images.

    Raises
    ------
    StoreError
        If a benchmark is damaged.
    """
    if not images or not files.jobs:
        return []
    stages = {stage: stage_cost(stems) for stage, stems in files.jobs.items()}
    sizes = {name: sum(map(size_of, paths)) for name, paths in files.stored.items()}
    wall = sum(cost.wall_s for cost in stages.values())
    per_hour = 3600 * images / wall if wall else math.nan
    return [
        ("images an hour, one job after another", format_number(per_hour)),
        ("CPU-s an image", _shares({s: c.cpu_s for s, c in stages.items()}, images)),
        ("GPU-s an image", _shares({s: c.gpu_s for s, c in stages.items()}, images)),
        ("bytes an image on the disk", _shares(sizes, images)),
    ]


def stage_cost(stems: Sequence[Path]) -> StageCost:
    """Sum up the benchmarks of jobs.

    Parameters
    ----------
    stems : sequence of Path
        Logs and benchmarks of the jobs, without their endings.

    Raises
    ------
    StoreError
        If a benchmark is damaged.
    """
    found = [_job_cost(stem) for stem in stems]
    return StageCost(
        sum(cost.wall_s for cost in found),
        sum(cost.cpu_s for cost in found),
        sum(cost.gpu_s for cost in found),
    )


def _job_cost(stem: Path) -> StageCost:
    path = with_ending(stem, ".benchmark.tsv")
    if not path.exists():
        return StageCost(math.nan, math.nan, math.nan)
    columns, rows = read_tsv(path)
    try:
        cells = dict(zip(columns, rows[0], strict=True))
        wall, cpu = _number(cells["s"]), _number(cells["cpu_time"])
    except (IndexError, KeyError, ValueError) as error:
        raise StoreError(f"{path}: is no benchmark of Snakemake's ({error})") from error
    job = read_job(stem)
    return StageCost(wall, cpu, math.nan if job is None else wall * job.gpus)


def _number(cell: str) -> float:
    """Read a cell; Snakemake writes NA or - where a job was too short to be looked at."""
    return math.nan if cell in ("NA", "-") else float(cell)


def _shares(parts: Mapping[str, float], images: int) -> str:
    """Write a sum and its parts, each for one image."""
    return f"{format_number(sum(parts.values()) / images)} ({', '.join(_each(parts, images))})"


def _each(parts: Mapping[str, float], images: int) -> Iterator[str]:
    for name, value in parts.items():
        yield f"{name} {format_number(value / images)}"
