"""The table of losses, a line a step."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path

from phenopipe.files import write_aside, writing

#: Parts of the loss, named as in the settings.
PARTS = ("distance", "intra", "inter", "contrast")
COLUMNS = ("step", "loss", *PARTS, "gradient_norm", "learning_rate", "seconds")


@dataclass(frozen=True)
class StepLosses:
    """What came of a step, means over the devices.

    Attributes
    ----------
    loss : float
        Weighted sum of the parts.
    distance, intra, inter, contrast : float
        The parts.
    gradient_norm : float
        Norm of the gradient before it was clipped.
    """

    loss: float
    distance: float
    intra: float
    inter: float
    contrast: float
    gradient_norm: float


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
            with write_aside(path) as part, part.open("w", newline="") as file:
                rows = (row for row in kept if int(row[0]) < first_step)
                csv.writer(file).writerows([COLUMNS, *rows])
            self._file = path.open("a", newline="")
            self._writer = csv.writer(self._file)
        self._start = time.monotonic()

    def __enter__(self) -> LossLog:
        return self

    def __exit__(self, *_: object) -> None:
        with writing(self._path):  # closing flushes what could not be written before
            self._file.close()

    def write(self, step: int, losses: StepLosses, rate: float) -> None:
        """Write the losses of one step."""
        values = (getattr(losses, name) for name in ("loss", *PARTS, "gradient_norm"))
        numbers = [f"{value:.6g}" for value in (*values, rate)]
        seconds = time.monotonic() - self._start
        with writing(self._path):
            self._writer.writerow([step, *numbers, f"{seconds:.1f}"])
            self._file.flush()
