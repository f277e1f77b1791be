"""The training loop."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from pathlib import Path

from phenopipe.config import TrainSettings
from phenopipe.config.train import RUN_ONLY
from phenopipe.errors import DivergedError, StoppedError
from phenopipe.files import writing
from phenopipe.labelled import Source
from phenopipe.train.checkpoint import load_checkpoint, save_checkpoint
from phenopipe.train.curves import write_curves
from phenopipe.train.data import Batch, training_batches
from phenopipe.train.loss_log import LossLog
from phenopipe.train.signals import StopRequest, deaf_processes
from phenopipe.train.training import Training, learning_rate

log = logging.getLogger(__name__)


def course_digest(settings: TrainSettings, origin: str = "") -> str:
    """Return a hash of all on which the course of a training depends.

    Parameters
    ----------
    settings : TrainSettings
        Where pictures lie does not count, nor what only judges.
    origin : str
        Says what is in the files: weights, labelled pictures, soils.
    """
    course = settings.model_dump(exclude={*RUN_ONLY, "gate_margin", "validation_images"})
    del course["plants"]["soil_folder"]
    for source in course["data"]:
        for place in ("path", "images", "labels"):
            del source[place]
    return hashlib.sha256(f"{json.dumps(course)}{origin}".encode()).hexdigest()


def optimise(
    training: Training,
    settings: TrainSettings,
    sources: Sequence[Source],
    folder: Path,
    origin: str = "",
) -> Iterator[tuple[int, float]]:
    """Train, with checkpoints in `folder`, going on from the last one.

    With several devices, all of their processes call it, and the first one writes the files.

    Parameters
    ----------
    training : Training
        The training before its first step; afterwards, as far as it got.
    settings, sources : TrainSettings, sequence of Source
        Everything about the training, and where its pictures come from.
    folder : Path
        Holds ``checkpoint.safetensors``, ``losses.csv`` and ``curves.html``; made if missing.
    origin : str
        Changes with the weights from which the training starts and with what is in its files. A
        checkpoint of another origin is not gone on from.

    Yields
    ------
    step, loss
        After each step; nothing if the checkpoint stands at the last one.

    Raises
    ------
    DivergedError
        If loss or gradient is no finite number.
    StoppedError
        After SIGTERM or SIGUSR1, when the step under way is done and the checkpoint is written.
    StoreError
        If checkpoint or losses cannot be written, or the checkpoint is damaged.
    """
    keeper = Keeper(training, settings, folder, origin)
    first = keeper.load()
    losses = LossLog(folder / "losses.csv", first) if training.fabric.is_global_zero else None
    with StopRequest() as request, losses or nullcontext():
        for number, batch in enumerate(_batches(training, settings, sources, first), start=first):
            try:
                result = training.step(number, batch, settings)
            except DivergedError as error:
                raise DivergedError(f"{error}; {keeper.advice()}") from None
            if losses:
                losses.write(number, result, learning_rate(number, settings))
            yield number, result.loss
            stop = training.any_device(request.signal_name is not None)
            if stop or number + 1 == settings.steps or keeper.is_due():
                keeper.save(number + 1)
            if stop:
                training.any_device(False)  # those that end kill the one that still writes
                raise StoppedError(
                    f"training stopped by {request.signal_name or 'a signal'} after step "
                    f"{number + 1} of {settings.steps}; the same command goes on from there"
                )


def _batches(
    training: Training, settings: TrainSettings, sources: Sequence[Source], first: int
) -> Iterator[Batch]:
    """Yield this device's share of each batch, drawn by processes that outlive a signal."""
    batches = iter(training_batches(settings, sources, first, training.share))
    with deaf_processes():
        head = next(batches, None)
    return chain([] if head is None else [head], batches)


class Keeper:
    """Keeps a training on disk, so that it can go on.

    Parameters
    ----------
    training, settings, folder, origin
        As in :func:`optimise`.
    """

    def __init__(
        self, training: Training, settings: TrainSettings, folder: Path, origin: str
    ) -> None:
        self.folder = folder
        self.path = folder / "checkpoint.safetensors"
        self.step = 0
        self._fabric = training.fabric
        self._steps = settings.steps
        self._seconds = settings.checkpoint_minutes * 60
        self._state = (
            course_digest(settings, origin),
            training.model,
            training.averaged,
            training.optimiser,
            training.scaler,
        )
        self._saved = time.monotonic()

    def load(self) -> int:
        """Go back to the last checkpoint and return the next step; remove one of another course.

        Its losses are about to go: a training that went on from it would have those of this one.
        """
        self.step = load_checkpoint(self.path, *self._state)
        if self.step:
            log.info("going on from step %d of %d", self.step, self._steps)
            return self.step
        self._fabric.barrier()  # until all processes have looked
        if self._fabric.is_global_zero:
            with writing(self.path):
                self.path.unlink(missing_ok=True)
        return self.step

    def is_due(self) -> bool:
        """Return whether the last checkpoint is old."""
        return time.monotonic() - self._saved > self._seconds

    def save(self, step: int) -> None:
        """Write checkpoint and curves, if this process is the one that writes."""
        if self._fabric.is_global_zero:
            save_checkpoint(self.path, step, *self._state)
            write_curves(self.folder / "losses.csv", self.folder / "curves.html")
        self.step, self._saved = step, time.monotonic()

    def advice(self) -> str:
        """Say what there is to do about a training that diverged."""
        kept = f"its last good checkpoint, {self.path}, is before step {self.step}"
        return (
            f"{kept if self.step else 'there is no checkpoint yet'}; lower learning_rate or raise "
            "warmup_steps and train again"
        )
