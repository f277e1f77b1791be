"""Measure the speed of training and what a resume costs; prints JSON.

Run as ``python benchmarks/train.py [--preset tiny] [--size 64] [--steps 60] [--workers 1]``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from phenopipe.config import TrainSettings
from phenopipe.labelled import open_sources
from phenopipe.model.wnet import WNet
from phenopipe.train.data import Batch, training_batches
from phenopipe.train.loop import Keeper, optimise
from phenopipe.train.training import Training

#: First steps, in which caches fill.
WARM_UP = 5


class Waiting:
    """Adds up the time that is spent waiting for batches."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def over(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Yield the batches."""
        while True:
            start = time.perf_counter()
            batch = next(batches, None)
            self.seconds += time.perf_counter() - start
            if batch is None:
                return
            yield batch


def measure_steps(settings: TrainSettings) -> dict[str, float]:
    """Train, and return the speed and how much of the time is spent waiting for pictures."""
    training = Training.start(WNet(settings.preset, settings.embedding_dim))
    waiting = Waiting()
    batches = training_batches(settings, open_sources(settings.data), 0)
    for number, batch in enumerate(waiting.over(batches)):
        if number == WARM_UP:
            waiting.seconds = 0.0
            start, cpu_start = time.perf_counter(), time.process_time()
        training.step(number, batch, settings)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    steps = settings.steps - WARM_UP
    return {
        "steps_per_s": round(steps / wall, 2),
        "steps_per_cpu_s": round(steps / cpu, 2),
        "waiting_for_data_share": round(waiting.seconds / wall, 3),
    }


def measure_resume(settings: TrainSettings) -> dict[str, float]:
    """Return what a checkpoint costs, and a resume until its first step is done."""
    with tempfile.TemporaryDirectory() as name:
        folder, sources = Path(name), open_sources(settings.data)
        training = _start(settings)  # its optimiser has moments once it has learned
        for number, _ in optimise(training, settings, sources, folder):
            if number == WARM_UP:
                break
        keeper = Keeper(training, settings, folder, "")
        start = time.perf_counter()
        keeper.save(WARM_UP)
        saved = time.perf_counter() - start
        start = time.perf_counter()
        next(optimise(_start(settings), settings, sources, folder))
        return {"checkpoint_s": round(saved, 2), "resume_s": round(time.perf_counter() - start, 2)}


def _start(settings: TrainSettings) -> Training:
    torch.manual_seed(settings.seed)
    return Training.start(WNet(settings.preset, settings.embedding_dim))


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.steps <= WARM_UP:
        parser.error(f"--steps: give more than {WARM_UP}, which warm up")
    torch.set_num_threads(arguments.threads)
    settings = TrainSettings(
        preset=arguments.preset,
        image_size=arguments.size,
        batch_size=arguments.batch,
        steps=arguments.steps,
        workers=arguments.workers,
    )
    figures = measure_steps(settings) | measure_resume(settings)
    print(json.dumps({"preset": arguments.preset, "size_px": arguments.size, **figures}))


# The processes that draw pictures start by importing the main module, which this script is.
if __name__ == "__main__":
    main()
