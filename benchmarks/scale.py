"""What a season of a million images costs Snakemake's main process and each job; prints JSON.

    python benchmarks/scale.py [--sets 1000] [--images 1000] [--work FOLDER]

No pixel is computed: pictures are empty files, and what jobs would have written is recorded as if
it had been. Measured are a dry-run before anything is there, one when all is, one after one more
night, how long a job takes to read the Snakefile, and what a tenth, a hundredth and a thousandth of
the season cost.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import yaml
from snakemake_runs import NO_CLUSTER, count_jobs

from phenopipe.config import load_config
from phenopipe.plan.names import is_joint, shard_path
from phenopipe.plan.roster import Roster, read_roster
from phenopipe.plan.rosters import Rosters

ROOT = Path(__file__).resolve().parents[1]
FIRST_NIGHT = datetime(2025, 1, 1, 1)
CONFIG = {
    "experiment": "scale",
    "plan": {
        "image_root": "images",
        "pattern": "{timestamp:%Y%m%d_%H%M%S}_{camera}_{pot}_{genotype}-{replicate:digits}.png",
        "settle_seconds": 0,
    },
    "models": {"default": {"weights": "default"}},
    "analyses": {"default": {"model": "default"}},
}
TABLES = ("plants", "leaves")
KINDS = ("csv", "parquet", "schema.json")


def add_night(folder: Path, night: int, images: int) -> None:
    """Make one image set of empty files, as a camera names them."""
    images_of = folder / "images" / f"night_{night:04d}"
    images_of.mkdir(parents=True)
    start = FIRST_NIGHT + timedelta(days=night)
    for number in range(images):
        time_of = start + timedelta(seconds=2 * number)
        name = f"{time_of:%Y%m%d_%H%M%S}_top1_P{number:04d}_Col-0-{number}.png"
        (images_of / name).touch()


def snakemake(folder: Path, *options: str) -> tuple[float, int, str]:
    """Run Snakemake; returns seconds, its peak memory in MB, and what it printed."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--workflow-profile", str(ROOT / "profiles/default"), *options]
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | NO_CLUSTER,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"snakemake failed:\n{output[-3000:]}")
    return seconds, usage.ru_maxrss // 1024, output


def finish_run(folder: Path) -> int:
    """Write what a run of the whole season would leave, without its contents; how many files."""
    os.chdir(folder)  # paths of a configuration are relative to the experiment's folder
    Rosters(load_config("config/config.yaml"), "results/plan", scan=True).write()
    return record_outputs(folder)


def record_outputs(folder: Path) -> int:
    """Write empty files and folders where a finished run has its results; returns how many."""
    results = folder / "results"
    stages = [[], [], [], [], []]
    for roster in map(read_roster, sorted((results / "plan").glob("*.roster.tsv"))):
        if is_joint(roster.image_set):  # its sets name what is made of it
            continue
        for stage, paths in zip(stages, outputs_of_set(results, roster), strict=True):
            stage.extend(paths)
    analysis = results / "analyses/default"
    season = [f"season/{t}.{k}" for t in (*TABLES, "growth", "tracks") for k in KINDS]
    stages.append([analysis / name for name in ("summary.json", *season)])
    stages.append([analysis / name for name in ("checked", "season/report.html")])
    now = time.time() - 60
    stages = [list(dict.fromkeys(paths)) for paths in stages]
    for number, paths in enumerate(stages):
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            # A folder's date is that of the mark that Snakemake leaves in it.
            mark = path / ".snakemake_timestamp" if path.suffix == ".zarr" else path
            mark.parent.mkdir(exist_ok=True)
            mark.touch()
            os.utime(mark, (now + number, now + number))
            os.utime(path, (now + number, now + number))
    return sum(map(len, stages))


def outputs_of_set(results: Path, roster: Roster) -> Iterator[list[Path]]:
    """Yield what each stage writes for one image set, stage by stage."""
    name = roster.image_set
    tables = results / "analyses/default/sets" / name
    shards = [shard_path(name, shard) for shard in roster.shards]
    crops = [results / "crops" / shard for shard in shards]
    yield [results / f"plan/{name}.tsv", *(p.with_suffix(".zarr") for p in crops)] + [
        p.with_suffix(".tsv") for p in crops
    ]
    yield [results / f"predictions/default/{shard}.zarr" for shard in shards]
    yield [tables / "labels.zarr", tables / "measurements.parquet"]
    yield [tables / f"{table}.{kind}" for table in TABLES for kind in KINDS]
    yield [tables / "report.html"]


def bare_seconds(folder: Path) -> float:
    """Return how long Snakemake takes to start with a workflow of one rule."""
    bare = folder / "bare.smk"
    bare.write_text('rule one:\n    output: "one"\n    shell: "touch {output}"\n')
    command = [sys.executable, "-m", "snakemake", "-s", str(bare), "--cores", "1", "-n", "-q"]
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            command, cwd=folder, env=os.environ | NO_CLUSTER, check=True, capture_output=True
        )
        times.append(time.perf_counter() - start)
    return min(times)


def job_seconds(folder: Path) -> float:
    """Return how long a job takes until it has read the Snakefile, Snakemake's start included."""
    job = ["--target-files-omit-workdir-adjustment", "--mode", "subprocess", "--nolock"]
    one = "results/plan/night_0000.tsv"
    return min(snakemake(folder, "-n", "-q", *job, one)[0] for _ in range(3))


def dry_run(folder: Path) -> dict[str, object]:
    """Time a dry-run."""
    seconds, memory, output = snakemake(folder, "-n", "--quiet", "rules")
    return {"seconds": round(seconds, 2), "memory_mb": memory, "jobs": count_jobs(output)}


def season(folder: Path, sets: int, images: int, start: float) -> dict[str, object]:
    """Measure a season of so many sets, of which no results are there yet.

    `start` is what a dry-run of a single picture takes; it is no cost of an image.
    """
    shutil.rmtree(folder / "results", ignore_errors=True)
    for night in range(len(list((folder / "images").iterdir())), sets):
        add_night(folder, night, images)
    first = dry_run(folder)
    # In a process of its own: what this one holds would count as its children's peak memory.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        recorded = pool.submit(finish_run, folder).result()
    again = dry_run(folder)

    def per_image(run: dict[str, object]) -> float:
        return round(1e6 * (float(str(run["seconds"])) - start) / (sets * images), 1)

    return {
        "sets": sets,
        "images": sets * images,
        "dry_run": first,
        "dry_run_us_per_image": per_image(first),
        "recorded_outputs": recorded,
        "nothing_changed": again,
        "nothing_changed_us_per_image": per_image(again),
    }


def measure(folder: Path, sets: int, images: int) -> dict[str, object]:
    """Measure seasons of up to so many sets of so many images each."""
    (folder / "config").mkdir()
    (folder / "images").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(CONFIG))
    add_night(folder, 0, 1)
    start = min(snakemake(folder, "-n", "--quiet", "rules")[0] for _ in range(3))
    shutil.rmtree(folder / "images/night_0000")
    bare = bare_seconds(folder)
    sizes = sorted({max(1, sets // share) for share in (1000, 100, 10, 1)})
    seasons = [season(folder, size, images, start) for size in sizes]
    add_night(folder, sets, images)
    return {
        "one_picture_seconds": round(start, 2),
        "seasons": seasons,
        "one_more_night": dry_run(folder),
        "snakefile_in_a_job_seconds": round(job_seconds(folder) - bare, 2),
    }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--images", type=int, default=1000, help="in each set")
    parser.add_argument("--work", type=Path, help="where to make the files; by default in /tmp")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        result = measure(Path(name), options.sets, options.images)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({**result, "cpu_seconds": round(children.ru_utime + children.ru_stime)}))


if __name__ == "__main__":
    main()
