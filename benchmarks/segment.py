"""Time the segmentation of one crop on one core, and where the stage's time goes, as JSON.

    python benchmarks/segment.py > segment.json

A drawn rosette (512x512 px, 18 leaves, 8 dimensions by default) is segmented by `find_leaves` and
by a plain-Python growth in the paper's order. The stage itself runs over crops in a Zarr store,
timed part by part; `segment_set.py` has the times of whole sets. `cpu_ms` is CPU time, which other
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
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from plain_growth import grow_plainly
from segment_scene import CropSet, predict, rosette

from phenopipe.config import SegmentSettings
from phenopipe.evaluate import symmetric_best_dice
from phenopipe.segment import blocks, crop, find_leaves, measure_traits
from phenopipe.segment.image_set import create_parts
from phenopipe.segment.seeds import find_seeds
from phenopipe.segment.sources import list_crops
from phenopipe.store import create_store

#: The stage's parts: where the functions that do them are used, and their names.
PARTS = {
    "read": (blocks, ("read_crop", "read_window")),
    "cluster": (crop, ("_plant_box", "find_leaves")),
    "measure": (crop, ("trait_columns",)),
    "write": (blocks, ("write_block",)),
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
        written = create_parts(store, len(found), size, len(found))
        for part, (module, names) in PARTS.items():
            for name in names:
                watched = clock.watch(part, getattr(module, name))
                stack.enter_context(patch.object(module, name, watched))
        start = np.array([time.perf_counter(), time.process_time()])
        blocks.segment_block(found, 0, written, SegmentSettings())
        total = [time.perf_counter(), time.process_time()] - start
    spent = clock.spent | {"other": total - sum(clock.spent.values()), "total": total}
    parts = {
        part: dict(zip(("wall_ms", "cpu_ms"), (MILLI * t / len(found)).round(2), strict=True))
        for part, t in spent.items()
    }
    return {"crops": len(found), "per_crop": parts}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--leaves", type=int, default=18)
    parser.add_argument("--dimensions", type=int, default=8)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--crops", type=int, default=100, help="crops of the stage's breakdown")
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
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # NumPy reads it once, when it is loaded
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
