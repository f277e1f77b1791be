"""Time the stage `segment` over a whole image set, and print the figures as JSON.

Crops of 512 px with plants of 18 leaves and good predictions (8 dimensions) are segmented from
Zarr to labels and Parquet by the command `phenopipe segment`: with a plain loop over the tasks in
place of Dask, and through Dask with 1 and 2 workers. One worker runs twice: with all that the
command does on one core, and with a second core for the start and for what hands out tasks.

    python benchmarks/segment_set.py --crops 1000

Each run is a process of its own, its start included; figures are medians of rounds in turns. CPU
seconds count all processes of the run and hardly depend on what else the machine does; rates and
their shares do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from cpu_time import adopt_orphans, children_cpu_s
from segment_scene import crop_row, predict

from phenopipe.config import PlantSettings
from phenopipe.crop_table import write_crop_table
from phenopipe.encoding import encode_distance, encode_embedding
from phenopipe.store import create_array, create_store
from phenopipe.synth import draw_plant

#: Different plants; the set repeats them.
PLANTS = 12
SIZE, DIMENSIONS, NOISE = 512, 8, 0.1
#: Seconds between looks at memory: each takes about 2 ms, of the cores that the workers share.
POLL_S = 0.25


def write_set(folder: Path, count: int, plants: int = PLANTS) -> None:
    """Write one shard of crops, its table and its predictions."""
    settings = PlantSettings(min_leaves=18, max_leaves=18, empty_share=0, close_share=1)
    drawn = [draw_plant(seed, settings, SIZE) for seed in range(min(plants, count))]
    made = [
        predict(plant.labels.astype(int), DIMENSIONS, NOISE, n) for n, plant in enumerate(drawn)
    ]
    predicted = [(encode_distance(d), encode_embedding(e, d)) for d, e in made]
    order = np.arange(count) % len(drawn)
    write_crop_table(folder / "0000.tsv", [crop_row(f"p{n}.png", SIZE) for n in range(count)])
    with create_store(folder / "0000.zarr", "crops") as group:
        rgb = np.stack([plant.rgb for plant in drawn])
        create_array(group, "rgb", (count, *rgb.shape[1:]), np.uint8)[:] = rgb[order]
    attributes = {"model_sha256": "0" * 64}  # of none
    with create_store(folder / "predictions.zarr", "predictions", attributes) as group:
        for name, values in zip(
            ("distance", "embedding"), zip(*predicted, strict=True), strict=True
        ):
            stack = np.stack(values)
            create_array(group, name, (count, *stack.shape[1:]), stack.dtype)[:] = stack[order]
        windows = np.full((count, 3), (0, 0, SIZE), np.int32)
        create_array(group, "window", windows.shape, np.int32)[:] = windows


def command(folder: Path, cluster: str, workers: int) -> list[str]:
    """Return the command that segments the set."""
    config = folder / f"{cluster}.yaml"
    config.write_text(json.dumps({"dask": {"cluster": cluster}}))  # which is YAML
    return [
        *(str(Path(sys.executable).with_name("phenopipe")), "segment"),
        *("--crops", str(folder / "0000.zarr"), "--predictions", str(folder / "predictions.zarr")),
        *("--out", str(folder), "--config", str(config), "--workers", str(workers)),
    ]


def measure(
    folder: Path, count: int, cluster: str, workers: int, cores: Collection[int]
) -> dict[str, float]:
    """Segment the set in a process of its own on some cores; return times and peak memory."""
    before, start = children_cpu_s(), time.perf_counter()
    process = subprocess.Popen(
        command(folder, cluster, workers),
        stdout=sys.stderr,
        preexec_fn=partial(os.sched_setaffinity, 0, cores),
    )
    peak = [0]
    watch = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watch.start()
    if process.wait():
        raise SystemExit(f"{cluster}, {workers} workers: failed")
    wall = time.perf_counter() - start
    cpu = children_cpu_s() - before
    return {
        "crops_per_s": round(count / wall, 2),
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "cpu_ms_per_crop": round(1e3 * cpu / count, 2),
        "peak_mb": round(peak[0] / 1e6),
    }


def _watch(pid: int, peak: list[int]) -> None:
    """Keep the largest sum of the resident memory of a process and all below it."""
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            peak[0] = max(peak[0], sum(map(_memory, [root, *root.children(recursive=True)])))
            time.sleep(POLL_S)
    except psutil.NoSuchProcess:
        return


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def middle(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: statistics.median(run[name] for run in rounds) for name in rounds[0]}


def share_of_twice(single: dict[str, float], two: dict[str, float]) -> float:
    """Return the rate of two workers, of twice another."""
    return round(two["crops_per_s"] / (2 * single["crops_per_s"]), 3)


def compare(
    loop: dict[str, float],
    one_core: dict[str, float],
    one: dict[str, float],
    two: dict[str, float],
) -> dict[str, float]:
    """Set one and two workers in relation to each other and to the loop without Dask."""
    return {
        "share_of_twice_one_core": share_of_twice(one_core, two),
        "share_of_twice_one_worker": share_of_twice(one, two),
        "share_of_twice_without_dask": share_of_twice(loop, two),
        "scheduler_overhead_share": round(1 - loop["wall_s"] / one["wall_s"], 3),
        "scheduler_overhead_share_of_cpu": round(1 - loop["cpu_s"] / one["cpu_s"], 3),
    }


def run_rounds(folder: Path, count: int, clusters: list[str], rounds: int) -> dict[str, object]:
    """Measure everything in turns, and compare medians."""
    both = sorted(os.sched_getaffinity(0))[:2]
    kinds = [("local", 1, 1)]  # which needs no Dask
    kinds += [(cluster, *how) for cluster in clusters for how in ((1, 1), (1, 2), (2, 2))]
    found = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for cluster, workers, cores in kinds:
            run = measure(folder, count, cluster, workers, both[:cores])
            found[cluster, workers, cores].append(run)
    loop = found["local", 1, 1]
    results: dict[str, object] = {"without_dask": middle(loop)}
    for cluster in clusters:
        one_core, one, two = (found[cluster, *how] for how in ((1, 1), (1, 2), (2, 2)))
        by_round = [compare(*runs) for runs in zip(loop, one_core, one, two, strict=True)]
        results[cluster] = {
            "1_worker_on_1_core": middle(one_core),
            "1_worker": middle(one),
            "2_workers": middle(two),
            **compare(*map(middle, (loop, one_core, one, two))),
            "by_round": {name: [run[name] for run in by_round] for name in by_round[0]},
        }
    return results


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", type=int, default=1000)
    parser.add_argument("--clusters", nargs="*", default=["threads", "processes"])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    adopt_orphans()
    with tempfile.TemporaryDirectory() as name:
        write_set(Path(name), options.crops)
        results = run_rounds(Path(name), options.crops, options.clusters, options.rounds)
    about = {"size": SIZE, "leaves": 18, "dimensions": DIMENSIONS, "machine": platform.machine()}
    load = {"cores": len(os.sched_getaffinity(0)), "load_average": round(os.getloadavg()[0], 1)}
    print(json.dumps({**vars(options), **about, **load, **results}, indent=2))


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # NumPy reads it once, when it is loaded
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
