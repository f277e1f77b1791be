"""Where the jobs behind a set's tables leave their logs, and what these say of a job."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import psutil

from phenopipe.errors import StoreError
from phenopipe.plan.names import shard_path

log = logging.getLogger(__name__)

#: Paths of logs without their ending, by stage.
JobFiles = Mapping[str, Sequence[Path]]

_LINE = re.compile(r" phenopipe\.logs: job (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """A job as its log's last line says.

    Attributes
    ----------
    started, finished : str
        ISO 8601 with offset.
    host : str
        Machine that it ran on.
    slurm_job_id : str
        Empty where it was no job of SLURM's.
    gpus : int
        GPUs that its process computed on.
    wall_s : float
        Seconds since its process began; not a number in the log of an older version.
    cpu_s : float
        Seconds of processor time, of its process and of all that it started on its machine; as
        wall_s.
    """

    started: str
    finished: str
    host: str
    slurm_job_id: str
    gpus: int
    wall_s: float = math.nan
    cpu_s: float = math.nan


def set_jobs(
    key: str, shards: Iterable[str], model: str, analysis: str, logs: Path = Path("logs")
) -> JobFiles:
    """Name the files of all jobs behind the tables of an image set.

    Parameters
    ----------
    key : str
        Key of the set.
    shards : iterable of str
        Its shards, as a roster names them.
    model, analysis : str
        Names of the configuration.
    logs : Path
        Folder of the logs.

    Returns
    -------
    mapping of str to sequence of Path
        By stage, in the order of the data; add ``.log``.
    """
    paths = [shard_path(key, shard) for shard in shards]
    return {
        "ingest": [logs / "ingest" / path for path in paths],
        "predict": [logs / "predict" / model / path for path in paths],
        "segment": [logs / "segment" / analysis / key],
        "tabulate": [logs / "tabulate" / analysis / key],
    }


def this_job(started: datetime) -> Job:
    """Describe the job that this process is, now, without what it took."""
    return Job(
        started=started.isoformat(timespec="seconds"),
        finished=datetime.now().astimezone().isoformat(timespec="seconds"),
        host=socket.gethostname(),
        slurm_job_id=os.environ.get("SLURM_JOB_ID", ""),
        gpus=_gpus_used(),
    )


def count_time(job: Job) -> Job:
    """Add what this process took; what the system does not tell stays not a number."""
    try:
        # psutil's start of a process is of whole seconds since the epoch.
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        wall_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
        # psutil sees processes that nobody waits for, too, as those of a fork server.
        process = psutil.Process()
        cpu_s = sum(map(_cpu_s, [process, *process.children(recursive=True)]))
    except (psutil.Error, OSError, RuntimeError, ValueError, IndexError) as error:
        log.info("the job's time is not known: %s", error)
        return job
    return replace(job, wall_s=round(wall_s, 2), cpu_s=round(cpu_s, 2))


def job_line(job: Job) -> str:
    """Return the line of a log by which :func:`read_job` knows the job again."""
    return f"job {json.dumps(asdict(job))}"


def read_job(stem: Path) -> Job | None:
    """Read what the log of a job says of it; None if there is no such log, or it was cut short.

    Raises
    ------
    StoreError
        If there is a log that cannot be read.
    """
    path = with_ending(stem, ".log")
    try:
        found = _LINE.findall(path.read_text(encoding="utf-8", errors="replace"))
        return Job(**json.loads(found[-1])) if found else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{path}: cannot be read as the log of a job ({error})") from error


def with_ending(stem: Path, ending: str) -> Path:
    """Add an ending to a name that may hold dots."""
    return stem.with_name(stem.name + ending)


def _cpu_s(process: psutil.Process) -> float:
    """Return the processor time of a process and of those that it has waited for."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # it has just ended
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _gpus_used() -> int:
    """Count the GPUs on which torch holds, or held, memory; without loading it."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    count: int = torch.cuda.device_count()
    return sum(torch.cuda.max_memory_allocated(index) > 0 for index in range(count))
