"""How far each optimiser comes in the same steps: from nothing, on the same drawn plants.

    python benchmarks/optimisers.py > optimisers.json
    python benchmarks/optimisers.py --weights default --size 256 --rates 0.0003 0.0015

Prints JSON: for each optimiser and peak learning rate the mean loss of the last fifty steps, the
mean SBD of the averaged weights on plants that no training sees, and the seconds of a step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from pathlib import Path

import torch

from phenopipe.config import TrainSettings
from phenopipe.labelled import open_sources
from phenopipe.model.find import find_weights
from phenopipe.model.weights import copy_weights, save_model
from phenopipe.model.wnet import WNet
from phenopipe.threads import use_all_threads
from phenopipe.train.data import Batch, training_batches
from phenopipe.train.training import Training
from phenopipe.train.validate import validate

OPTIMISERS = ("adamw", "muon")
#: Losses of single steps are those of their pictures above all: so many are averaged.
LAST_STEPS = 50


def measure(
    settings: TrainSettings, batches: list[Batch], weights: str | None, folder: Path
) -> dict[str, float]:
    """Train once, and return loss, SBD and speed."""
    torch.manual_seed(settings.seed)
    model = WNet(settings.preset, settings.embedding_dim)
    if weights:
        copy_weights(model, find_weights(weights))
    training = Training.start(model, optimiser=settings.optimiser)
    start = time.perf_counter()
    losses = [training.step(n, batch, settings).loss for n, batch in enumerate(batches)]
    seconds = time.perf_counter() - start
    last = losses[-LAST_STEPS:]
    save_model(folder / "model.safetensors", training.averaged, {})
    score = validate(folder / "model.safetensors", settings, open_sources(settings.data))
    return {
        "loss": round(sum(last) / len(last), 4),
        "validation_sbd": round(score.symmetric_best_dice, 4),
        "s_per_step": round(seconds / len(batches), 3),
    }


def main() -> None:
    """Train with each optimiser at each rate and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", help="where training starts; left out, from nothing")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.001, 0.002, 0.004])
    parser.add_argument("--pictures", type=int, default=60, help="that score the weights")
    options = parser.parse_args()
    use_all_threads()
    base = TrainSettings(
        preset=options.preset,
        image_size=options.size,
        steps=options.steps,
        warmup_steps=options.steps // 10,
        validation_images=options.pictures,
    )
    batches = list(training_batches(base, open_sources(base.data), 0))  # once, for all of them
    figures: dict[str, dict[str, dict[str, float]]] = {kind: {} for kind in OPTIMISERS}
    with tempfile.TemporaryDirectory() as folder:
        for kind, rate in itertools.product(OPTIMISERS, options.rates):
            settings = base.model_copy(update={"optimiser": kind, "learning_rate": rate})
            figures[kind][str(rate)] = measure(settings, batches, options.weights, Path(folder))
    print(json.dumps(vars(options) | {"optimisers": figures}, indent=2))


# The process that draws pictures starts by importing the main module, which this script is.
if __name__ == "__main__":
    main()
