"""Time the segmentation of one crop on one core, and print the figures as JSON.

A synthetic rosette (512x512 px, 18 leaves, 8 dimensions by default) is segmented by both methods:
`angular`, and `paper`, the ring-by-ring growth in the authors' order, as the reference.

    python benchmarks/segment.py --repeats 20
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from scipy import ndimage

from phenopipe.config import SegmentSettings
from phenopipe.encoding import background_direction
from phenopipe.evaluate import symmetric_best_dice
from phenopipe.segment import find_leaves, measure_traits


def rosette(size: int, leaves: int) -> np.ndarray:
    """Draw leaves as ellipses at the golden angle, later ones on top."""
    rows, columns = np.mgrid[:size, :size]
    truth = np.zeros((size, size), np.int64)
    for leaf in range(leaves):
        angle, growth = 2.39996 * leaf, leaf / leaves
        out = size * (0.08 + 0.3 * growth)
        x, y = columns - size / 2 - out * np.cos(angle), rows - size / 2 - out * np.sin(angle)
        along = (x * np.cos(angle) + y * np.sin(angle)) / (size * (0.07 + 0.04 * growth))
        across = (y * np.cos(angle) - x * np.sin(angle)) / (size * (0.04 + 0.012 * growth))
        truth[along**2 + across**2 < 1] = leaf + 1
    return truth


def predict(truth: np.ndarray, dimensions: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Make the distance map and embedding of a good prediction."""
    random = np.random.default_rng(0)
    distance = np.zeros(truth.shape)
    for leaf in range(1, truth.max() + 1):
        inside = ndimage.distance_transform_edt(truth == leaf)
        distance = np.maximum(distance, inside / inside.max())
    basis = random.normal(size=(dimensions, dimensions))
    basis[:, 0] = background_direction(dimensions)
    basis = np.linalg.qr(basis)[0].T[1:]
    table = np.vstack(
        [background_direction(dimensions), basis[np.arange(truth.max()) % len(basis)]]
    )
    embedding = table[truth] + random.normal(scale=noise, size=(*truth.shape, dimensions))
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    return distance.astype(np.float32), embedding.astype(np.float32)


def time_ms(call: Callable[[], object], repeats: int) -> dict[str, float]:
    """Return median and least time of some calls after a first one."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return {"median_ms": round(statistics.median(times), 2), "least_ms": round(min(times), 2)}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--leaves", type=int, default=18)
    parser.add_argument("--dimensions", type=int, default=8)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    cv2.setNumThreads(1)

    truth = rosette(options.size, options.leaves)
    prediction = predict(truth, options.dimensions, options.noise)
    results: dict[str, object] = {**vars(options), "machine": platform.machine(), "cores": 1}
    results["foreground"] = round(float((truth > 0).mean()), 3)
    for method in ("angular", "paper"):
        settings = SegmentSettings(method=method)
        found = find_leaves(*prediction, settings)
        repeats = options.repeats if method == "angular" else max(1, options.repeats // 5)
        results[method] = {
            **time_ms(lambda s=settings: find_leaves(*prediction, s), repeats),
            "leaves": len(found.confidence),
            "sbd": round(symmetric_best_dice(found.labels, truth), 4),
        }
    found = find_leaves(*prediction)
    rgb = np.full((*truth.shape, 3), 90, np.uint8)
    results["traits"] = time_ms(lambda: measure_traits(found, rgb, np.eye(2, 3)), options.repeats)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # NumPy reads it once, when it is loaded
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
