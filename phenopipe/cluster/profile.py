"""A Snakemake profile for a SLURM cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from phenopipe.cluster.site import (
    Partition,
    choose_partitions,
    find_account,
    find_partitions,
    job_memory_s,
    keeps_accounts,
    sacct_answers,
)
from phenopipe.errors import InputError
from phenopipe.files import write_text

StatusCommand = Literal["sacct", "squeue"]
#: How often the executor asks after its jobs at first, s: one question for all of them.
POLL_SECONDS = 8
#: CPUs of a job of `train`, `predict` and `segment`.
THREADS = 4
GENERIC = (
    "SLURM as it is by default, with partitions named cpu and gpu (partitions.yaml). "
    "For another cluster: phenopipe profile slurm"
)


@dataclass(frozen=True)
class Site:
    """What a profile says of its cluster.

    Attributes
    ----------
    partitions : sequence of Partition
        Where jobs go.
    account : str or None
        Who pays.
    scratch : str or None
        Folder for temporary files on the nodes; may name variables of the environment there.
    status_command : {"squeue", "sacct"}
        What tells of ended jobs.
    poll_seconds : int
        How often it is asked at first, s.
    jobs : int
        SLURM jobs at a time.
    """

    partitions: Sequence[Partition] = field(
        default=(Partition("cpu"), Partition("gpu", gpus=8)),
    )
    account: str | None = None
    scratch: str | None = None
    status_command: StatusCommand = "squeue"
    poll_seconds: int = POLL_SECONDS
    jobs: int = 100

    @property
    def threads(self) -> int:
        """CPUs of a job: fewer where nodes are small."""
        sizes = [partition.threads for partition in self.partitions if partition.mem_mb]
        return min([THREADS, *sizes])


def detect_site(
    *,
    account: str | None = None,
    partitions: Sequence[str] = (),
    scratch: str | None = None,
    status_command: StatusCommand | None = None,
    jobs: int = 100,
) -> Site:
    """Find out what was not said of the cluster that this machine submits to.

    Parameters
    ----------
    account, partitions, scratch, status_command, jobs
        As :class:`Site` has them, partitions by name; what is None or empty is detected. There is
        no scratch folder by default.

    Raises
    ------
    InputError
        If SLURM does not answer, or something named is not there; all problems at once.
    """
    found = find_partitions()
    problems: list[str] = []
    try:
        chosen = choose_partitions(found, partitions)
    except InputError as error:
        problems += error.problems
    if account is not None and not keeps_accounts():
        problems.append(f"account {account!r}: sacctmgr knows no accounts here; leave it out")
    if scratch and "$" not in scratch and not Path(scratch).is_dir():
        problems.append(f"{scratch}: is no folder, but was given as scratch")
    memory = job_memory_s()
    command = status_command or ("sacct" if sacct_answers() else "squeue")
    poll = POLL_SECONDS if memory is None else min(POLL_SECONDS, memory // 3)
    if command == "squeue" and poll < 1:
        problems.append("sacct: does not answer, and squeue forgets ended jobs (MinJobAge) at once")
    if problems:
        raise InputError(*problems)
    poll = poll if command == "squeue" else POLL_SECONDS
    return Site(chosen, account or find_account(), scratch, command, poll, jobs)


def render_profile(site: Site, about: str = GENERIC, folder: Path | None = None) -> dict[str, str]:
    """Return the files of a profile, by name.

    Parameters
    ----------
    site : Site
        The cluster.
    about : str
        The profile's first line.
    folder : Path, optional
        Where it will be; by default ``profiles/slurm`` of the checkout that it is used with.
    """
    environment = Environment(
        loader=PackageLoader("phenopipe.cluster", "."),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    text = environment.get_template("slurm.yaml.j2").render(
        about=about,
        folder=_yaml(str(folder.absolute() / "partitions.yaml")) if folder else None,
        jobs=site.jobs,
        status_command=site.status_command,
        poll_seconds=site.poll_seconds,
        threads=site.threads,
        account=_expression(site.account),
        scratch=_expression(site.scratch),
    )
    partitions = {partition.name: _limits(partition) for partition in site.partitions}
    limits = yaml.safe_dump({"partitions": partitions}, sort_keys=False, allow_unicode=True)
    return {
        "config.yaml": text,
        "partitions.yaml": "# Partitions and the most that a job can ask of a node there.\n"
        + limits,
    }


def write_profile(folder: Path, site: Site, about: str, *, replace: bool = False) -> None:
    """Write a profile.

    Parameters
    ----------
    folder : Path
        The profile's folder, made if it is missing; Snakemake finds it by its name in
        :func:`user_profiles`.
    site : Site
        The cluster.
    about : str
        The profile's first line.
    replace : bool
        Whether a profile that is there may be replaced.

    Raises
    ------
    InputError
        If there is a profile already, and `replace` is not set.
    StoreError
        If a file cannot be written.
    """
    if (folder / "config.yaml").exists() and not replace:
        raise InputError(f"{folder}: has a profile already; --replace it, or choose --out")
    # The file that makes it a profile comes last.
    for name, text in reversed(render_profile(site, about, folder).items()):
        write_text(folder / name, text)


def user_profiles() -> Path:
    """Return the folder in which Snakemake looks for a user's profiles by name."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "snakemake"


def _limits(partition: Partition) -> dict[str, Any]:
    """Return a partition as the executor's file has it; what is not there has no limit."""
    limits: dict[str, Any] = {
        "max_runtime": partition.max_runtime,
        "max_threads": partition.threads if partition.mem_mb else None,
        "max_mem_mb": partition.mem_mb or None,
        "max_gpu": partition.gpus or None,
        "available_gpu_models": list(partition.gpu_models) or None,
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def _expression(text: str | None) -> str | None:
    """Quote text for Python, as which Snakemake reads a resource, and for YAML around it."""
    return None if text is None else _yaml(repr(text))


def _yaml(text: str) -> str:
    """Quote text for YAML, on one line."""
    return yaml.safe_dump(text, width=10_000, allow_unicode=True).removesuffix("...\n").strip()
