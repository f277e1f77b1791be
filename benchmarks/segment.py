"""Time the segmentation of one crop on one core, and where the stage's time goes, as JSON.

    python benchmarks/segment.py > segment.json

A drawn rosette (512x512 px, 18 leaves, 8 dimensions by default) is segmented by `find_leaves` and
by a plain-Python growth in the paper's order. The stage itself runs over crops in a Zarr store,
timed part by part, then through Dask with 1 and 2 workers. `cpu_ms` is CPU time, which other
processes on the machine disturb less than `wall_ms`; both are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import psutil
from plain_growth import grow_plainly
from segment_scene import CropSet, predict, rosette

from phenopipe.config import DaskSettings, SegmentSettings
from phenopipe.evaluate import symmetric_best_dice
from phenopipe.segment import blocks, find_leaves, measure_traits, segment_set
from phenopipe.segment.seeds import find_seeds
from phenopipe.segment.sources import list_crops
from phenopipe.store import create_store, store_path

#: The stage's parts, and the functions of `phenopipe.segment.blocks` that do them.
PARTS = {
    "read": ("read_crop", "read_window"),
    "decode": ("decode_distance", "decode_embedding"),
    "cluster": ("find_leaves",),
    "measure": ("measure_traits",),
    "write": ("write_block",),
}
MILLI = 1e3


def time_ms(call: Callable[[], object], repeats: int) -> dict[str, float]:
    """Return median wall and CPU time of some calls after a first one."""
    call()
    times = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    walls, cpus = zip(*times, strict=True)
    return {
        "wall_ms": round(MILLI * statistics.median(walls), 2),
        "cpu_ms": round(MILLI * statistics.median(cpus), 2),
        "least_wall_ms": round(MILLI * min(walls), 2),
    }


def compare_methods(prediction, truth: np.ndarray, repeats: int) -> dict[str, object]:
    """Time both methods and the plain growth on one crop."""
    results: dict[str, object] = {}
    for method in ("angular", "paper"):
        settings = SegmentSettings(method=method)
        found = find_leaves(*prediction, settings)
        results[method] = {
            **time_ms(lambda s=settings: find_leaves(*prediction, s), repeats),
            "leaves": len(found.confidence),
            "sbd": round(symmetric_best_dice(found.labels, truth), 4),
        }
    for name, whole in (("plain_python", True), ("plain_python_last_ring_only", False)):
        plain = time_plain_growth(prediction, truth, whole)
        plain["times_slower"] = round(plain["cpu_ms"] / results["angular"]["cpu_ms"], 1)
        results[name] = plain
    return results


def time_plain_growth(prediction, truth: np.ndarray, whole: bool) -> dict[str, float]:
    """Time the growth alone: seeds and nested lists are there before the clock starts."""
    distance, embedding = prediction
    seeds = find_seeds(distance, embedding, SegmentSettings())
    pixels = list(zip(seeds.rows.tolist(), seeds.columns.tolist(), strict=True))
    lists, vectors = embedding.tolist(), seeds.vectors.tolist()
    wall, cpu = time.perf_counter(), time.process_time()
    labels = grow_plainly(lists, pixels, vectors, whole=whole)
    spent = {"wall_ms": time.perf_counter() - wall, "cpu_ms": time.process_time() - cpu}
    figures = {name: round(MILLI * value, 1) for name, value in spent.items()}
    return figures | {"sbd": round(symmetric_best_dice(np.array(labels), truth), 4)}


def memory_floor(prediction) -> dict[str, float]:
    """Return how long it takes to read one prediction and write its labels, once each."""
    distance, embedding = prediction
    source = np.ones(2**26, np.float32)
    target = np.empty_like(source)
    copy_ms = time_ms(lambda: np.copyto(target, source), 5)["least_wall_ms"]
    per_ms = 2 * source.nbytes / copy_ms
    traffic = distance.nbytes + embedding.nbytes + 4 * distance.size
    return {
        "bandwidth_gb_per_s": round(per_ms / 1e6, 2),
        "bytes": traffic,
        "floor_ms": round(traffic / per_ms, 3),
    }


class Clock:
    """Adds up the CPU and wall time of the parts of a block."""

    def __init__(self) -> None:
        self.spent = {part: np.zeros(2) for part in PARTS}

    def watch(self, part: str, function: Callable[..., object]) -> Callable[..., object]:
        """Return the function with its time added to a part."""

        def timed(*args: object, **options: object) -> object:
            start = np.array([time.perf_counter(), time.process_time()])
            try:
                return function(*args, **options)
            finally:
                self.spent[part] += [time.perf_counter(), time.process_time()] - start

        return timed


def break_down(crops: CropSet, folder: Path) -> dict[str, object]:
    """Segment all crops as one task does, and time its parts, per crop."""
    found, size = list_crops(crops.crops, crops.predictions)
    clock = Clock()
    with ExitStack() as stack, create_store(folder / "parts.zarr", "labels") as store:
        blocks.create_parts(store, len(found), size, len(found))
        for part, names in PARTS.items():
            for name in names:
                watched = clock.watch(part, getattr(blocks, name))
                stack.enter_context(patch.object(blocks, name, watched))
        start = np.array([time.perf_counter(), time.process_time()])
        blocks.segment_block(found, 0, store_path(store), SegmentSettings())
        total = [time.perf_counter(), time.process_time()] - start
    spent = clock.spent | {"other": total - sum(clock.spent.values()), "total": total}
    parts = {
        part: dict(zip(("wall_ms", "cpu_ms"), (MILLI * t / len(found)).round(2), strict=True))
        for part, t in spent.items()
    }
    return {"crops": len(found), "per_crop": parts}


class PeakMemory:
    """Watches the memory of this process and its children."""

    def __enter__(self) -> PeakMemory:
        self.peak, self._ends = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ends.wait(0.1):
            total = 0
            for process in [own := psutil.Process(), *own.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, total)


def scale_out(crops: CropSet, count: int, folder: Path, cluster: str) -> dict[str, object]:
    """Segment a set through Dask with 1 and 2 workers, and without Dask."""
    alone = break_down(crops, folder)["per_crop"]["total"]["wall_ms"]
    rate = {}
    with PeakMemory() as memory:
        for workers in (1, 2):
            start = time.perf_counter()
            segment_set(
                crops.crops,
                crops.predictions,
                folder / f"{workers}.zarr",
                folder / f"{workers}.parquet",
                dask=DaskSettings(cluster=cluster),
                workers=workers,
                progress=lambda done, _count, _what: iter(done),
            )
            rate[workers] = count / (time.perf_counter() - start)
    return {
        "crops": count,
        "cluster": cluster,
        "crops_per_s": {"no_dask": round(MILLI / alone, 1)}
        | {f"{workers}_workers": round(value, 1) for workers, value in rate.items()},
        "rate_of_2_over_twice_that_of_1": round(rate[2] / (2 * rate[1]), 3),
        "scheduler_overhead": round(MILLI / alone / rate[1] - 1, 3),
        "peak_memory_mb": round(memory.peak / 2**20),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--leaves", type=int, default=18)
    parser.add_argument("--dimensions", type=int, default=8)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--crops", type=int, default=100, help="crops of the stage's breakdown")
    parser.add_argument("--set-crops", type=int, default=1000, help="crops for Dask; 0 for none")
    parser.add_argument("--cluster", choices=("threads", "processes"), default="processes")
    options = parser.parse_args()
    cv2.setNumThreads(1)

    truth = rosette(options.size, options.leaves)
    prediction = predict(truth, options.dimensions, options.noise)
    results: dict[str, object] = {**vars(options), "machine": platform.machine(), "cores": 1}
    results["foreground"] = round(float((truth > 0).mean()), 3)
    results |= compare_methods(prediction, truth, options.repeats)
    results["memory"] = memory_floor(prediction)
    found, rgb = find_leaves(*prediction), np.full((*truth.shape, 3), 90, np.uint8)
    results["traits"] = time_ms(lambda: measure_traits(found, rgb, np.eye(2, 3)), options.repeats)
    with tempfile.TemporaryDirectory() as name:
        crops = CropSet(Path(name), prediction, options.crops)
        results["stage"] = break_down(crops, Path(name))
    if options.set_crops:
        with tempfile.TemporaryDirectory() as name:
            crops = CropSet(Path(name), prediction, options.set_crops)
            results["dask"] = scale_out(crops, options.set_crops, Path(name), options.cluster)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # NumPy reads it once, when it is loaded
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
