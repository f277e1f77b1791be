"""Training pictures: chosen by index, so that any step of a training can be seen again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from phenopipe.config import TrainSettings
from phenopipe.errors import PhenopipeError
from phenopipe.fork_server import start_method
from phenopipe.labelled import LabelledPicture, Source
from phenopipe.predict.look import MOST_ENLARGED
from phenopipe.synth import draw_plant
from phenopipe.train.augment import augment
from phenopipe.train.targets import all_pairs, distance_target, drop_small_leaves, neighbour_pairs
from phenopipe.train.view import plant_view

#: Streams of pictures: one of validation or test never turns up in training, nor in the other.
TRAINING, VALIDATION, TEST = 0, 1, 2
#: Distinguishes the seeds by which labelled pictures are chosen from those by which plants are
#: drawn. Not 0, which a shorter seed would equal.
_CHOICE = 1


@dataclass(frozen=True)
class Sample:
    """One picture and what the network is to say of it."""

    rgb: NDArray[np.uint8]
    labels: NDArray[np.int32]
    distance: NDArray[np.float32]
    pairs: NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Samples as tensors: rgb (N,3,H,W) uint8, labels and distance (N,H,W), pairs (P,3)."""

    rgb: Tensor
    labels: Tensor
    distance: Tensor
    pairs: Tensor


class SyntheticPlants(Dataset[Sample]):
    """Plants drawn by index.

    Parameters
    ----------
    settings : TrainSettings
        Size, seed and range of the plants.
    stream : int
        :data:`TRAINING`, :data:`VALIDATION` or :data:`TEST`.
    start, stop : int
        Range of indices.
    """

    def __init__(self, settings: TrainSettings, stream: int, start: int, stop: int) -> None:
        self.settings = settings
        self.stream = stream
        self.start = start
        self.stop = stop

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        settings = self.settings
        number = self.start + index
        # Pictures that score a model have the size that it will work at.
        step = number // settings.batch_size if self.stream == TRAINING else settings.steps
        seed = (settings.seed, self.stream, number)
        picture = draw_plant(seed, settings.plants, settings.image_size_at(step))
        return make_sample(picture.rgb, picture.labels, settings)


class Mixture(Dataset[Sample]):
    """Training pictures of several sources, each index from one that is drawn by the weights.

    Parameters
    ----------
    settings : TrainSettings
        Size, seed and plants.
    sources : sequence of Source
        Where pictures come from.
    start, stop : int
        Range of indices, counted from the first step.
    """

    def __init__(
        self, settings: TrainSettings, sources: Sequence[Source], start: int, stop: int
    ) -> None:
        self.settings = settings
        self.sources = sources
        self.start = start
        self.drawn = SyntheticPlants(settings, TRAINING, start, stop)
        weights = np.array([source.weight for source in sources])
        self.bounds = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        return len(self.drawn)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        settings, number = self.settings, self.start + index
        rng = np.random.default_rng((settings.seed, TRAINING, number, _CHOICE))
        place = int(np.searchsorted(self.bounds[:-1], rng.random(), side="right"))
        source = self.sources[place]
        if source.synthetic:
            return self.drawn[index]
        labelled = source.training[int(rng.integers(len(source.training)))].read()
        size = settings.image_size_at(number // settings.batch_size)
        return make_sample(*augment(labelled.rgb, labelled.labels, size, rng), settings)


class KeptBack(Dataset[Sample]):
    """Labelled pictures that score a model: upright, each shown as a second look would.

    Parameters
    ----------
    settings : TrainSettings
        ``image_size`` and what makes the targets.
    pictures : sequence of LabelledPicture
        The pictures.
    """

    def __init__(self, settings: TrainSettings, pictures: Sequence[LabelledPicture]) -> None:
        self.settings = settings
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        labelled = self.pictures[index].read()
        size = self.settings.image_size
        view = plant_view(labelled.labels, min_side=size / MOST_ENLARGED)
        return make_sample(*view.show(labelled.rgb, labelled.labels, size), self.settings)


def make_sample(
    rgb: NDArray[np.uint8], labels: NDArray[np.integer[Any]], settings: TrainSettings
) -> Sample:
    """Compute the targets of one labelled picture."""
    losses = settings.losses
    kept = drop_small_leaves(labels)
    radius = losses.neighbour_radius * kept.shape[1]
    pairs = neighbour_pairs(kept, radius) if losses.constraint == "local" else all_pairs(kept)
    return Sample(rgb, kept, distance_target(kept), pairs)


def collate(samples: list[Sample]) -> Batch:
    """Stack samples to a batch; the pairs get the number of their picture in front."""
    rgb = torch.from_numpy(np.stack([s.rgb for s in samples])).permute(0, 3, 1, 2)
    pairs = [np.insert(s.pairs, 0, number, axis=1) for number, s in enumerate(samples)]
    return Batch(
        rgb.contiguous(memory_format=torch.channels_last),
        torch.from_numpy(np.stack([s.labels for s in samples])).long(),
        torch.from_numpy(np.stack([s.distance for s in samples])),
        torch.from_numpy(np.concatenate(pairs)),
    )


def _one_thread(_worker: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def training_batches(
    settings: TrainSettings,
    sources: Sequence[Source],
    first_step: int,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
    """Yield the batches of steps `first_step` .. ``settings.steps - 1``, or a share of each.

    What a step sees depends on the settings, the labelled pictures and its number alone, so a
    training that goes on from a checkpoint sees what it would have seen.

    Parameters
    ----------
    settings : TrainSettings
        Everything about the training.
    sources : sequence of Source
        Where pictures come from.
    first_step : int
        Step of the first batch.
    share : (int, int)
        Which share, from 0, of how many equal ones.

    Raises
    ------
    InputError
        If a picture or its labels cannot be read any more.
    """
    size = settings.batch_size
    data = Mixture(settings, sources, first_step * size, settings.steps * size)
    number, shares = share
    each = size // shares
    firsts = range(number * each, len(data), size)
    loader = DataLoader(
        data,
        batch_sampler=[list(range(first, first + each)) for first in firsts],
        num_workers=settings.workers,
        collate_fn=collate,
        worker_init_fn=_one_thread,
        prefetch_factor=4 if settings.workers else None,
        multiprocessing_context=start_method() if settings.workers else None,
    )
    try:
        yield from loader
    except PhenopipeError as error:
        # Of a process that draws: torch puts its traceback in front, which ends in type and text.
        kind = type(error)
        told = str(error).rpartition(f"{kind.__module__}.{kind.__qualname__}: ")[2]
        # The traceback would keep the loader, and so its processes, which do not hear SIGTERM.
        raise kind(*told.splitlines()) from error.with_traceback(None)
