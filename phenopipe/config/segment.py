"""Settings of the stage `segment`: from predictions to leaves."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import field_validator, model_validator

from phenopipe.config.block import Block, setting


class SegmentSettings(Block):
    """Seeds from the distance map, then angular clustering of the embedding."""

    method: Literal["angular", "paper"] = setting(
        "angular",
        "angular: every pixel joins the seed of the smallest angle, whatever the order of seeds; "
        "paper: the order and constants of Wu et al. 2020, for comparison (ignores all settings "
        "below).",
    )
    seed_smoothing_px: float = setting(
        1.5, "Standard deviation of the Gaussian on the distance map.", unit="network px", ge=0
    )
    seed_min_distance_px: float = setting(
        4.0, "Seeds closer than this are one seed, the higher.", unit="network px", ge=1
    )
    seed_threshold: float = setting(
        0.4,
        "A seed is a local maximum of the smoothed distance map at least this high.",
        gt=0,
        le=1,
    )
    max_angle_deg: float = setting(
        80.0,
        "A pixel joins a leaf if its embedding is within this angle of the seed's and nearer to it "
        "than to the background's; the paper's 45 loses petioles and edges.",
        unit="deg",
        gt=0,
        le=90,
    )
    merge_angle_deg: float = setting(
        40.0,
        "Seeds whose vectors are within this angle, directly or through others, are one leaf if "
        "they lie in the region of the highest (long leaves have several maxima); 0 never joins "
        "seeds.",
        unit="deg",
        ge=0,
        le=90,
    )
    min_leaf_area_px: float = setting(12.0, "Smaller leaves are removed.", unit="network px", ge=0)
    min_confidence: float = setting(0.05, "Leaves of a lower confidence are removed.", ge=0, le=1)


class DaskSettings(Block):
    """Where the work of `segment` runs."""

    cluster: Literal["local", "threads", "processes", "slurm"] = setting(
        "local",
        "local: a set of processes_from crops or more has worker processes on this machine, a "
        "smaller one is done by the job itself without Dask; threads, processes: always these; "
        "slurm: workers are SLURM jobs (dask-jobqueue).",
    )
    processes_from: int = setting(
        200,
        "cluster: local has processes for a set of so many crops or more; a smaller one is done "
        "by itself before they have started, on one core beside other sets.",
        unit="crops",
        ge=1,
    )
    address: str | None = setting(
        None, "Address of a running Dask scheduler, such as tcp://10.0.0.5:8786, to use instead."
    )
    worker_memory: str = setting(
        "1GB",
        "Memory of one worker process, which is stopped and started again beyond it, or SLURM job; "
        "a worker needs about 0.4 GB for crops of 512 px.",
        unit="bytes",
    )
    slurm_queue: str | None = setting(None, "SLURM partition of the workers.")
    slurm_walltime: str = setting("01:00:00", "Wall time of a SLURM worker.", unit="h:min:s")
    slurm_min_workers: int = setting(
        1, "SLURM workers of an image set to keep while there is work.", ge=0
    )
    slurm_max_workers: int = setting(
        8, "Most SLURM workers of an image set, started as there is work for them.", ge=1
    )
    slurm_interface: str | None = setting(
        None,
        "Network interface, such as ib0, between SLURM workers and the job; null lets Dask choose.",
    )
    dashboard: bool = setting(
        False, "Serve Dask's live dashboard on loopback while segment runs; its log has the link."
    )
    performance_report: bool = setting(
        False,
        "Write what Dask's workers did to logs/segment/{analysis}/{set}.dask.html, a page that "
        "needs no network.",
    )

    def is_parallel(self, crops: int) -> bool:
        """Tell whether a set of so many crops has work for several cores of the job's machine."""
        if self.address is not None or self.cluster == "slurm":
            return False  # the job hands out what others do
        return self.cluster != "local" or crops >= self.processes_from

    @field_validator("worker_memory")
    @classmethod
    def _is_memory(cls, value: str) -> str:
        if not re.fullmatch(r"(?=.*[1-9])\d+(\.\d+)? ?[kMGT]i?B", value, re.ASCII | re.IGNORECASE):
            raise ValueError("give a number and kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 2GB")
        return value

    @field_validator("slurm_walltime", mode="before")
    @classmethod
    def _is_walltime(cls, value: object) -> object:
        # YAML reads 10:00:00 without quotes as a number of base 60.
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]+:[0-5][0-9]:[0-5][0-9]", value):
            raise ValueError('give hours:minutes:seconds in quotes, such as "10:00:00"')
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.slurm_max_workers < self.slurm_min_workers:
            raise ValueError("slurm_max_workers is below slurm_min_workers")
        return self
