"""Measure how many synthetic pictures one core draws in a second; prints JSON.

Run as ``python benchmarks/synth.py [--pictures 200] [--size 256] [--soil FOLDER]``.
"""

from __future__ import annotations

import argparse
import json
import time

import cv2

from phenopipe.config import PlantSettings
from phenopipe.synth import draw_plant


def measure(pictures: int, size: int, soil: str | None) -> dict[str, float]:
    """Draw `pictures` pictures on one thread and return figures."""
    cv2.setNumThreads(1)
    settings = PlantSettings(soil_folder=soil)
    draw_plant(0, settings, size)
    times, leaves = [], 0
    for seed in range(pictures):
        start = time.process_time()
        leaves += int(draw_plant(seed, settings, size).labels.max())
        times.append(time.process_time() - start)
    return {
        "pictures": pictures,
        "size_px": size,
        "pictures_per_cpu_second": round(pictures / sum(times), 1),
        "slowest_ms": round(1e3 * max(times), 1),
        "leaves_per_picture": round(leaves / pictures, 2),
    }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--soil", default=None)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.pictures, arguments.size, arguments.soil)))


if __name__ == "__main__":
    main()
