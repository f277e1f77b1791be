"""What a cluster offers: partitions, accounts, and which command tells of ended jobs."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from phenopipe.cluster.ask import ask
from phenopipe.errors import InputError

_GPUS = re.compile(r"\bgpu:(?:(?P<model>[^:(,]*):)?(?P<count>\d+)")
_NODE = "%R|%P|%a|%l|%c|%m|%G"


@dataclass(frozen=True)
class Partition:
    """A partition, as large as its largest node.

    Attributes
    ----------
    name : str
        Its name.
    default : bool
        Whether it takes jobs that name none.
    max_runtime : int or None
        Longest job, min; None without a limit.
    threads : int
        CPUs of a node.
    mem_mb : int
        Memory of a node, MB.
    gpus : int
        GPUs of a node.
    gpu_models : tuple of str
        What SLURM calls them.
    """

    name: str
    default: bool = False
    max_runtime: int | None = None
    threads: int = 1
    mem_mb: int = 0
    gpus: int = 0
    gpu_models: tuple[str, ...] = ()


def find_partitions() -> list[Partition]:
    """Return the partitions that are up and that this user may see.

    Raises
    ------
    InputError
        If SLURM does not answer here.
    """
    told = ask("sinfo", "--Node", "--noheader", f"--format={_NODE}")
    if told is None:
        raise InputError("sinfo: does not answer here; run this where jobs are submitted from")
    found: dict[str, Partition] = {}
    for line in told.splitlines():
        node = _parse_node(line)
        if node is not None:
            found[node.name] = _larger(found.get(node.name, node), node)
    return list(found.values())


def _parse_node(line: str) -> Partition | None:
    """Read a line of `sinfo`: a node, as a partition has it."""
    name, marked, available, limit, threads, memory, gres = line.split("|", 6)
    if available != "up":
        return None
    gpus = list(_GPUS.finditer(gres))
    return Partition(
        name=name,
        default=marked.endswith("*"),
        max_runtime=parse_minutes(limit),
        threads=int(threads.rstrip("+")),
        mem_mb=int(memory.rstrip("+")),
        gpus=sum(int(match["count"]) for match in gpus),
        gpu_models=tuple(match["model"] for match in gpus if match["model"]),
    )


def _larger(one: Partition, other: Partition) -> Partition:
    return replace(
        one,
        threads=max(one.threads, other.threads),
        mem_mb=max(one.mem_mb, other.mem_mb),
        gpus=max(one.gpus, other.gpus),
        gpu_models=tuple(dict.fromkeys(one.gpu_models + other.gpu_models)),
    )


def parse_minutes(limit: str) -> int | None:
    """Return a time of SLURM's in whole minutes; None for no limit.

    Parameters
    ----------
    limit : str
        ``[days-]hours:minutes:seconds``, ``minutes:seconds``, ``infinite`` or ``n/a``.

    Examples
    --------
    >>> parse_minutes("1-02:30:00"), parse_minutes("30:00"), parse_minutes("infinite")
    (1590, 30, None)
    """
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if match is None:
        return None
    days, hours, minutes, _ = (int(part or 0) for part in match.groups())
    return (24 * days + hours) * 60 + minutes


def choose_partitions(found: Sequence[Partition], names: Sequence[str] = ()) -> list[Partition]:
    """Choose where jobs go.

    Parameters
    ----------
    found : sequence of Partition
        All there are.
    names : sequence of str
        The ones to take; by default the cluster's default one and, if it has no GPU, those that
        have some. Others (for tests, for large memory) are for who asks for them.

    Raises
    ------
    InputError
        If there is no partition of a name, or none at all.
    """
    known = {partition.name: partition for partition in found}
    if unknown := [name for name in names if name not in known]:
        there = ", ".join(known)
        raise InputError(*(f"partition {name!r}: is not there, only {there}" for name in unknown))
    if not found:
        raise InputError("sinfo: shows no partition that is up")
    if names:
        return [known[name] for name in names]
    default = [partition for partition in found if partition.default] or list(found[:1])
    if any(partition.gpus for partition in default):
        return default
    return default + [partition for partition in found if partition.gpus]


def find_account() -> str | None:
    """Return this user's default account; None if the cluster keeps no accounts."""
    user = getpass.getuser()
    told = ask("sacctmgr", "-nP", "show", "user", user, "format=DefaultAccount")
    return _first(told.splitlines()) if told else None


def keeps_accounts() -> bool:
    """Return whether the cluster's database of accounts answers."""
    return ask("sacctmgr", "-nP", "show", "cluster", "format=Cluster") is not None


def sacct_answers() -> bool:
    """Return whether `sacct` tells of jobs; on a cluster without its database it may hang."""
    return ask("sacct", "-X", "--noheader", "--starttime=now-1hour") is not None


def job_memory_s() -> int | None:
    """Return for how long `squeue` tells of jobs that ended, s (SLURM's MinJobAge)."""
    told = ask("scontrol", "show", "config") or ""
    match = re.search(r"^MinJobAge\s*=\s*(\d+)", told, re.MULTILINE)
    return int(match[1]) if match else None


def _first(lines: Iterable[str]) -> str | None:
    return next((line.strip() for line in lines if line.strip()), None)
