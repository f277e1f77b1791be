"""Train the W-Net with and without D-feat at equal budget, to see whether the claim holds.

    python benchmarks/reproduce_paper.py            # trains what is not yet there, prints JSON
    python benchmarks/reproduce_paper.py --report   # docs/reproduction.md from what is there

One run is one network: with or without the connection from the first U-Net to the second, an
embedding dimension E, the local or the global constraint, and a seed. All runs see the same
pictures, drawn once; runs of one seed see them in one order. A finished run is a JSON file and is
not done again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from reproduction_report import write_report

from phenopipe.config import PlantSettings, PredictSettings, SegmentSettings, TrainSettings
from phenopipe.encoding import background_direction
from phenopipe.evaluate import difference_in_count, foreground_dice, symmetric_best_dice
from phenopipe.files import write_aside, write_text
from phenopipe.model.wnet import WNet
from phenopipe.predict import Network
from phenopipe.segment import segment_leaves
from phenopipe.synth import draw_plant
from phenopipe.train.data import Sample, collate, make_sample
from phenopipe.train.losses import compute_losses

ROOT = Path(__file__).resolve().parents[1]
#: The extremes first: they decide on "local needs few dimensions".
DIMENSIONS = (4, 16, 8)
CONSTRAINTS = ("local", "global")
#: Small plants cropped close, so that 64 px show their leaves; outlines as in the first runs.
PLANTS = PlantSettings(min_leaves=2, max_leaves=10, empty_share=0, close_share=1, edge_share=0.5)
#: Seeds of the pictures to learn from and of those that score.
TRAINING_STREAM, TEST_STREAM = 10, 11
#: Not the defaults, which follow the packaged weights: runs of one table are scored alike.
SCORED_WITH = SegmentSettings(seed_smoothing_px=1.0, merge_angle_deg=25.0, min_leaf_area_px=4)
#: Where the predicted distance is below this, the embedding shows the background's direction.
FAR_FROM_LEAVES = 0.05


@dataclass(frozen=True)
class Budget:
    """What every run gets alike."""

    preset: str = "tiny"
    image_size: int = 64
    training_pictures: int = 2500
    test_pictures: int = 150
    steps: int = 600
    batch_size: int = 8
    learning_rate: float = 2e-3
    warmup_steps: int = 50


@dataclass(frozen=True)
class Run:
    """One network to train."""

    distance_features: bool
    embedding_dim: int
    constraint: str
    seed: int

    @property
    def name(self) -> str:
        """Stem of the run's file."""
        arm = "with" if self.distance_features else "without"
        return f"{arm}_E{self.embedding_dim:02d}_{self.constraint}_seed{self.seed}"


@dataclass(frozen=True)
class Pictures:
    """Drawn pictures: rgb (N, S, S, 3) uint8 and labels (N, S, S) uint8."""

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def all_runs(
    seeds: int,
    dimensions: Sequence[int] = DIMENSIONS,
    constraints: Sequence[str] = CONSTRAINTS,
) -> list[Run]:
    """Return every run, seed by seed, so that a whole replicate is there early."""
    product = itertools.product(range(seeds), dimensions, constraints, (True, False))
    return [Run(arm, dimension, constraint, seed) for seed, dimension, constraint, arm in product]


def load_pictures(folder: Path, stream: int, count: int, size: int) -> Pictures:
    """Return pictures from `folder`; they are drawn if they are not there."""
    path = folder / f"pictures_{stream}_{count}x{size}.npz"
    if not path.is_file():
        drawn = [draw_plant((stream, number), PLANTS, size) for number in range(count)]
        with write_aside(path) as part, part.open("wb") as file:
            rgb, labels = [d.rgb for d in drawn], [d.labels.astype(np.uint8) for d in drawn]
            np.savez_compressed(file, rgb=np.stack(rgb), labels=np.stack(labels))
    with np.load(path, allow_pickle=False) as file:
        return Pictures(file["rgb"], file["labels"])


def settings_of(constraint: str, budget: Budget) -> TrainSettings:
    """Return the paper's losses, and the size that the targets need to know."""
    losses = {"contrast": 0, "background": "instance", "balance": "pixels"}
    return TrainSettings.model_validate(
        {
            "preset": budget.preset,
            "image_size": budget.image_size,
            "losses": {**losses, "constraint": constraint},
        }
    )


def batches(samples: list[Sample], budget: Budget, seed: int) -> Iterator[list[Sample]]:
    """Yield the batches of all steps: every picture once, in an order of the seed, then again."""
    rng = np.random.default_rng((seed, 0))
    epochs = math.ceil(budget.steps * budget.batch_size / len(samples))
    order = np.concatenate([rng.permutation(len(samples)) for _ in range(epochs)])
    for step in range(budget.steps):
        chosen = order[step * budget.batch_size : (step + 1) * budget.batch_size]
        yield [samples[number] for number in chosen]


def rate(step: int, budget: Budget) -> float:
    """Return the learning rate: linear warm-up, then a cosine down to 0."""
    done = max(0, step - budget.warmup_steps) / (budget.steps - budget.warmup_steps)
    rising = min(1.0, (step + 1) / budget.warmup_steps)
    return budget.learning_rate * rising * 0.5 * (1 + math.cos(math.pi * done))


def train(run: Run, samples: list[Sample], budget: Budget) -> tuple[WNet, dict[str, float]]:
    """Train one network; returns it and the means of its losses over the last tenth."""
    torch.manual_seed(run.seed)
    model = WNet(budget.preset, run.embedding_dim, use_distance_features=run.distance_features).to(
        memory_format=torch.channels_last
    )
    optimiser = torch.optim.Adam(model.parameters(), fused=True)
    history = []
    for step, chosen in enumerate(batches(samples, budget, run.seed)):
        for group in optimiser.param_groups:
            group["lr"] = rate(step, budget)
        batch = collate(chosen)
        distance, embedding = model(batch.rgb)
        parts = compute_losses(
            *(distance, embedding, batch.labels, batch.distance, batch.pairs),
            anchored=False,
            contrast=False,
        )
        optimiser.zero_grad()
        torch.autograd.backward(parts.distance + parts.intra + parts.inter)
        optimiser.step()
        history.append((parts.distance.item(), parts.intra.item(), parts.inter.item()))
    last = np.mean(history[-max(1, budget.steps // 10) :], axis=0).round(4).tolist()
    return model.eval(), dict(zip(("distance", "intra", "inter"), last, strict=True))


def turn_background(
    distance: NDArray[np.float32], embedding: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Reflect an embedding so that its background has the direction that `segment` expects.

    A background that is an instance like any other has a direction that the network chose. Pixels
    far from leaves, by the predicted distance, show it. A reflection keeps all angles.
    """
    expected = background_direction(embedding.shape[-1])
    far = distance < FAR_FROM_LEAVES
    found = embedding[far].sum(axis=0) if far.any() else expected
    across = found / max(float(np.linalg.norm(found)), 1e-6) - expected
    squared = float(across @ across)
    if squared < 1e-12:
        return embedding
    along = (embedding @ across)[..., None] * (2 / squared)
    turned: NDArray[np.float32] = embedding - along * across
    return turned


def score(model: WNet, pictures: Pictures) -> dict[str, list[float]]:
    """Segment the test pictures and return each one's figures."""
    network = Network(model, PredictSettings(device="cpu", precision="fp32", batch_size=16))
    distances, embeddings = network(pictures.rgb)
    figures: dict[str, list[float]] = {"sbd": [], "dic": [], "foreground_dice": []}
    for distance, embedding, truth in zip(distances, embeddings, pictures.labels, strict=True):
        turned = turn_background(distance, embedding)
        labels = segment_leaves(distance, turned, SCORED_WITH)
        figures["sbd"].append(round(symmetric_best_dice(labels, truth), 4))
        figures["dic"].append(difference_in_count(labels, truth))
        figures["foreground_dice"].append(round(foreground_dice(labels, truth), 4))
    return figures


def summarise(figures: dict[str, list[float]]) -> dict[str, float]:
    """Return the means of a run's figures."""
    means = {
        "sbd": np.mean(figures["sbd"]),
        "abs_dic": np.mean(np.abs(figures["dic"])),
        "dic": np.mean(figures["dic"]),
        "foreground_dice": np.mean(figures["foreground_dice"]),
    }
    return {name: round(float(mean), 4) for name, mean in means.items()}


def do_run(run: Run, folder: Path, budget: Budget) -> dict[str, object]:
    """Train and score one network, or read what an earlier call found; returns its JSON."""
    path = folder / f"{run.name}_{budget.steps}steps.json"
    if path.is_file():
        done: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
        if done["budget"] != asdict(budget):
            raise SystemExit(f"{path}: is of another budget; remove it or give another --out")
        return done
    samples, test = _data(folder, run.constraint, budget)
    start = time.process_time()
    model, losses = train(run, samples, budget)
    seconds = time.process_time() - start
    figures = score(model, test)
    result = {
        **asdict(run),
        "budget": asdict(budget),
        "mean": summarise(figures),
        "last_losses": losses,
        "cpu_seconds": round(seconds, 1),
        "pictures": figures,
    }
    write_text(path, json.dumps(result) + "\n")
    return result


@cache
def _data(folder: Path, constraint: str, budget: Budget) -> tuple[list[Sample], Pictures]:
    size = budget.image_size
    training = load_pictures(folder, TRAINING_STREAM, budget.training_pictures, size)
    test = load_pictures(folder, TEST_STREAM, budget.test_pictures, size)
    settings = settings_of(constraint, budget)
    pairs = zip(training.rgb, training.labels, strict=True)
    return [make_sample(rgb, labels, settings) for rgb, labels in pairs], test


def main() -> None:
    """Read the arguments; train what is missing, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "reproduce_paper")
    parser.add_argument("--seeds", type=int, default=2, help="runs of each kind")
    parser.add_argument("--steps", type=int, default=Budget.steps)
    parser.add_argument("--dimensions", type=int, nargs="+", default=DIMENSIONS)
    parser.add_argument("--constraints", nargs="+", choices=CONSTRAINTS, default=CONSTRAINTS)
    parser.add_argument("--report", nargs="?", type=Path, const=ROOT / "docs" / "reproduction.md")
    options = parser.parse_args()
    if options.report:
        write_report(options.out, options.report)
        return
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for run in all_runs(options.seeds, options.dimensions, options.constraints):
        result = do_run(run, options.out, Budget(steps=options.steps))
        figures = {"run": run.name, **result["mean"], "losses": result["last_losses"]}
        print(json.dumps({**figures, "cpu_seconds": result["cpu_seconds"]}), flush=True)


if __name__ == "__main__":
    main()
