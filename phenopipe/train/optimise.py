"""The training loop."""

from __future__ import annotations

import copy
import csv
import hashlib
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from phenopipe.config import TrainSettings
from phenopipe.errors import ModelError
from phenopipe.files import writing
from phenopipe.model.device import choose_device, choose_dtype
from phenopipe.model.wnet import WNet
from phenopipe.train.checkpoint import load_checkpoint, save_checkpoint
from phenopipe.train.data import Batch, training_batches
from phenopipe.train.losses import Losses, compute_losses

log = logging.getLogger(__name__)

#: Weight decay of AdamW and the norm to which gradients are clipped.
WEIGHT_DECAY, GRADIENT_NORM = 1e-4, 5.0
#: The averaged weights look back over about this many steps once training is long enough.
AVERAGED_STEPS = 500
PARTS = ("distance", "intra", "inter", "contrast")
COLUMNS = ("step", "loss", *PARTS, "learning_rate", "seconds")


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Return the learning rate of a step: linear warm-up, then a cosine down to 1 %."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def settings_digest(settings: TrainSettings, start: str = "") -> str:
    """Return a hash of all on which the course of a training depends: settings and start."""
    course = settings.model_dump_json(
        exclude={"workers", "checkpoint_minutes", "gate_margin", "validation_images"}
    )
    return hashlib.sha256(f"{course}{start}".encode()).hexdigest()


@dataclass
class Training:
    """A training in progress.

    Attributes
    ----------
    model : WNet
        The network that learns.
    averaged : WNet
        Exponential moving average of its weights: what is evaluated and kept.
    optimiser : torch.optim.Optimizer
        AdamW.
    device, dtype
        Where and in which arithmetic it runs.
    """

    model: WNet
    averaged: WNet
    optimiser: torch.optim.Optimizer
    device: torch.device
    dtype: torch.dtype

    @classmethod
    def start(cls, model: WNet) -> Training:
        """Make a network ready to learn on the best device that is there."""
        device = choose_device("auto")
        model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        model.train()
        optimiser = torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY)
        averaged = copy.deepcopy(model).eval().requires_grad_(False)
        return cls(model, averaged, optimiser, device, choose_dtype("auto", device))

    def step(self, number: int, batch: Batch, settings: TrainSettings) -> tuple[float, Losses]:
        """Do one optimiser step; returns the total loss and its parts.

        Raises
        ------
        ModelError
            If the loss is no finite number.
        """
        torch.manual_seed(settings.seed * 1_000_003 + number)  # dropout, also after a resume
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(number, settings)
        parts = self._losses(number, batch, settings)
        weighted = [getattr(settings.losses, name) * getattr(parts, name) for name in PARTS]
        loss = torch.stack(weighted).sum()
        if not torch.isfinite(loss):
            each = ", ".join(f"{name} {getattr(parts, name).item()}" for name in PARTS)
            raise ModelError(
                f"training stopped at step {number}: the loss is {loss.item()} ({each}); "
                "lower learning_rate"
            )
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_NORM)
        self.optimiser.step()
        self._average(number)
        return loss.item(), parts

    def _losses(self, number: int, batch: Batch, settings: TrainSettings) -> Losses:
        reduced = self.dtype != torch.float32
        with torch.autocast(self.device.type, self.dtype, enabled=reduced):
            distance, embedding = self.model(batch.rgb.to(self.device))
        return compute_losses(
            distance,
            embedding,
            batch.labels.to(self.device),
            batch.distance.to(self.device),
            batch.pairs.to(self.device),
            anchored=settings.losses.background == "anchored",
            balance=settings.losses.balance,
            offset=(number // 2 % 2, number % 2),
        )

    @torch.no_grad()
    def _average(self, number: int) -> None:
        """Move the averaged weights; the average starts short, or it would hold the first steps."""
        share = max(1 / AVERAGED_STEPS, 5 / (number + 5))
        fresh = self.model.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(fresh[name], share)
            else:
                value.copy_(fresh[name])


def optimise(
    training: Training, settings: TrainSettings, folder: Path, start: str = ""
) -> Iterator[tuple[int, float]]:
    """Train, with checkpoints in `folder`, going on from the last one.

    Parameters
    ----------
    training : Training
        The training before its first step; afterwards, as far as it got.
    settings : TrainSettings
        Everything about the training.
    folder : Path
        Holds ``checkpoint.safetensors`` and ``losses.csv``; it is made if it is missing.
    start : str
        SHA-256 of the weights from which the training started, empty for random ones. A
        checkpoint that grew from others is not gone on from.

    Yields
    ------
    step, loss
        After each step; nothing if the checkpoint stands at the last one.

    Raises
    ------
    ModelError
        If the loss is no finite number.
    StoreError
        If checkpoint or losses cannot be written.
    """
    checkpoint = folder / "checkpoint.safetensors"
    state = (
        settings_digest(settings, start),
        training.model,
        training.averaged,
        training.optimiser,
    )
    first = load_checkpoint(checkpoint, *state)
    if first:
        log.info("going on from step %d of %d", first, settings.steps)
    saved = time.monotonic()
    with LossLog(folder / "losses.csv", first) as losses:
        for number, batch in enumerate(training_batches(settings, first), start=first):
            loss, parts = training.step(number, batch, settings)
            losses.write(number, loss, parts, learning_rate(number, settings))
            yield number, loss
            if time.monotonic() - saved > settings.checkpoint_minutes * 60:
                save_checkpoint(checkpoint, number + 1, *state)
                saved = time.monotonic()
    save_checkpoint(checkpoint, settings.steps, *state)


class LossLog:
    """A CSV of the losses; rows after the step gone on from are cut off.

    Parameters
    ----------
    path : Path
        The file.
    first_step : int
        First step that will be written.

    Raises
    ------
    StoreError
        If it cannot be written, now or later.
    """

    def __init__(self, path: Path, first_step: int) -> None:
        kept: list[list[str]] = []
        if first_step and path.is_file():
            with path.open(newline="") as file:
                kept = [row for row in csv.reader(file) if row and row[0].isdigit()]
        self._path = path
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(COLUMNS)
            self._writer.writerows(row for row in kept if int(row[0]) < first_step)
        self._start = time.monotonic()

    def __enter__(self) -> LossLog:
        return self

    def __exit__(self, *_: object) -> None:
        with writing(self._path):  # closing flushes what could not be written before
            self._file.close()

    def write(self, step: int, loss: float, parts: Losses, rate: float) -> None:
        """Write the losses of one step."""
        values = (loss, *(getattr(parts, name).item() for name in PARTS), rate)
        seconds = time.monotonic() - self._start
        with writing(self._path):
            self._writer.writerow([step, *(f"{v:.6g}" for v in values), f"{seconds:.1f}"])
            self._file.flush()
