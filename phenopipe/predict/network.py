"""The network as a function of NumPy arrays."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phenopipe.config import PredictSettings
from phenopipe.errors import ModelError, NotFiniteError
from phenopipe.model.device import choose_device, choose_dtype
from phenopipe.model.weights import load_model
from phenopipe.model.wnet import DISTANCE_SCALE, WNet
from phenopipe.predict.compiled import Compiled
from phenopipe.predict.encode import encode

log = logging.getLogger(__name__)
Result = TypeVar("Result")

#: Crops in one pass where nothing is probed: best for a core of a CPU, and where probing begins.
FIRST_BATCH = 4
#: Probing ends at this many, or where twice as many crops take no less than this share of the
#: time each.
MOST_CROPS, WORTH_DOUBLING = 512, 0.95
#: A crop that does not fit alone is tried again after so many seconds each: the pass of another
#: thread, or program, may end meanwhile.
RETRIES_S = (0.1, 0.5, 2.0)


class Network:
    """A W-Net made ready for inference: folded, on its device, channels last.

    Parameters
    ----------
    model : WNet or path-like
        The network (which is folded in place) or its file.
    settings : PredictSettings, optional
        Device, precision and batch size.
    device : torch.device, optional
        One of several devices; by default what the settings say.

    Attributes
    ----------
    settings : PredictSettings
        As given.
    model : WNet
        The network, folded.
    device : torch.device
        Where it runs.
    dtype : torch.dtype
        In which arithmetic; bfloat16 is that of the convolutions alone.
    embedding_dim : int
        Dimensions E of the embedding.
    batch_size : int
        Crops in one pass. It is halved, for good, when they do not fit into the memory.

    Raises
    ------
    ModelError
        If the file is damaged, or the device is not there.
    """

    def __init__(
        self,
        model: WNet | str | os.PathLike[str],
        settings: PredictSettings | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.settings = settings or PredictSettings()
        self.device = device or choose_device(self.settings.device)
        self.dtype = choose_dtype(self.settings.precision, self.device)
        network = model if isinstance(model, WNet) else load_model(model)
        self.embedding_dim = network.embedding_dim
        try:
            network = network.fold().to(self.device)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"predict.device: the network does not fit into the memory of {self.device}, which "
                "others may be using"
            ) from error
        self.model: WNet = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._both: Callable[[Tensor], Any] = self.model
        self._first: Callable[[Tensor], Any] = self.model.distance
        if self.settings.compile:
            self._both, self._first = Compiled(self._both), Compiled(self._first)
        self._alone = threading.Lock()
        given = self.settings.batch_size
        self.batch_size = FIRST_BATCH if given == "auto" else given

    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predict distance and embedding of a stack of crops.

        Parameters
        ----------
        rgb : ndarray, (N, H, W, 3), uint8
            Crops.

        Returns
        -------
        distance : ndarray, (N, H, W), float32
            0..1.
        embedding : ndarray, (N, H, W, E), float32
            Unit vectors.

        Raises
        ------
        ModelError
            If not even one crop fits into the device's memory, or values are NaN or infinite.
        """
        distances = np.zeros(rgb.shape[:3], np.float32)
        embeddings = np.zeros((*rgb.shape[:3], self.embedding_dim), np.float32)
        for part, (distance, embedding, total) in self._batches(self._decoded, rgb):
            self._check(total)
            distances[part] = distance.cpu().numpy()
            embeddings[part] = embedding.cpu().numpy()
        return distances, embeddings

    def encode(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
        """Predict distance and embedding, encoded on the device as they are stored.

        Parameters
        ----------
        rgb : ndarray, (N, H, W, 3), uint8
            Crops.

        Returns
        -------
        distance : ndarray, (N, H, W), uint8
            As `phenopipe.encoding.encode_distance` has it.
        embedding : ndarray, (N, H, W, E), int8
            As `phenopipe.encoding.encode_embedding` has it.

        Raises
        ------
        ModelError
            If not even one crop fits into the device's memory, or values are NaN or infinite.
        """
        distances = np.zeros(rgb.shape[:3], np.uint8)
        embeddings = np.zeros((*rgb.shape[:3], self.embedding_dim), np.int8)
        for part, (distance, embedding, total) in self._batches(self._encoded, rgb):
            self._check(total)
            distances[part] = distance.cpu().numpy()
            embeddings[part] = embedding.cpu().numpy()
        return distances, embeddings

    def distance(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Predict the distance maps alone: the first of the two U-Nets, half the work.

        Parameters
        ----------
        rgb : ndarray, (N, H, W, 3), uint8
            Crops.

        Returns
        -------
        ndarray, (N, H, W), float32
            0..1.

        Raises
        ------
        ModelError
            If not even one crop fits into the device's memory, or values are NaN or infinite.
        """
        distances = np.zeros(rgb.shape[:3], np.float32)
        for part, (distance, total) in self._batches(self._distances, rgb):
            self._check(total)
            distances[part] = distance.cpu().numpy()
        return distances

    def probe_batch_size(self, height: int, width: int) -> None:
        """Find the batch size by trying, on a GPU, unless the settings give one.

        Parameters
        ----------
        height, width : int
            Size of the crops, px.
        """
        if self.settings.batch_size != "auto" or self.device.type != "cuda":
            return
        best = self._seconds_per_crop(self.batch_size, height, width)
        while (twice := 2 * self.batch_size) <= MOST_CROPS:
            seconds = self._seconds_per_crop(twice, height, width)
            if not seconds < WORTH_DOUBLING * best:  # also where neither fits
                break
            self.batch_size, best = twice, seconds
        log.info("%d crops at a time on %s", self.batch_size, self.device)

    def _seconds_per_crop(self, count: int, height: int, width: int) -> float:
        """Time one pass, after a first one; infinite if the crops do not fit."""
        crops = np.zeros((count, height, width, 3), np.uint8)

        def run(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # not compiled for each count
            return _stored(*self.model(images))

        try:
            self._run(run, crops)[0].cpu()
            start = time.perf_counter()
            self._run(run, crops)[0].cpu()
        except torch.OutOfMemoryError:
            return float("inf")
        return (time.perf_counter() - start) / count

    def _decoded(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        distance, embedding = self._both(images)
        total = distance.sum() + embedding.sum()
        return _unscaled(distance), embedding.permute(0, 2, 3, 1), total

    def _encoded(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return _stored(*self._both(images))

    def _distances(self, images: Tensor) -> tuple[Tensor, Tensor]:
        distance = self._first(images)
        return _unscaled(distance), distance.sum()

    def _check(self, total: Tensor) -> None:
        """Refuse outputs that are no numbers, by the sum of all of them."""
        if not math.isfinite(total):
            raise NotFiniteError(
                f"the network gives NaN or infinite values in {self.dtype}; try "
                "predict.precision: fp32, or other weights"
            )

    def _batches(
        self, run: Callable[[Tensor], Result], rgb: NDArray[np.uint8]
    ) -> Iterator[tuple[slice, Result]]:
        """Yield what a part of the network says of each batch, and which crops those are."""
        start = 0
        while start < len(rgb):
            part = slice(start, min(start + self.batch_size, len(rgb)))
            try:
                result = self._run(run, rgb[part])
            except torch.OutOfMemoryError as error:
                if part.stop - part.start > 1:
                    self._halve(part.stop - part.start, rgb.shape[1:3])
                    continue
                result = self._run_alone(run, rgb[part], error)
            yield part, result
            start = part.stop

    @torch.inference_mode()
    def _run(self, run: Callable[[Tensor], Result], rgb: NDArray[np.uint8]) -> Result:
        images = torch.from_numpy(np.ascontiguousarray(rgb))
        if self.device.type == "cuda":  # so that the copy does not wait for the kernels before it
            images = images.pin_memory().to(self.device, non_blocking=True)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return run(images.permute(0, 3, 1, 2))

    def _run_alone(
        self, run: Callable[[Tensor], Result], rgb: NDArray[np.uint8], error: BaseException
    ) -> Result:
        """Try a single crop again, one thread at a time: passes of others give memory back."""
        height, width = rgb.shape[1:3]
        with self._alone:
            for wait in RETRIES_S:
                time.sleep(wait)
                self._empty_cache()
                try:
                    return self._run(run, rgb)
                except torch.OutOfMemoryError:
                    continue
        raise ModelError(
            f"predict.network_size: 1 crop of {width}x{height} px does not fit into the memory of "
            f"{self.device}; lower it, or take a larger device"
        ) from error

    def _halve(self, count: int, shape: tuple[int, ...]) -> None:
        """Take half as many crops from now on; another thread may have gone lower."""
        self.batch_size = min(self.batch_size, count // 2)
        log.warning(
            "%d crops of %dx%d px do not fit into the memory of %s: going on with %d at a time",
            *(count, shape[1], shape[0], self.device, self.batch_size),
        )
        self._empty_cache()

    def _empty_cache(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _stored(distance: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what is stored of a batch, and the sum of all values: bytes know no NaN."""
    return *encode(_unscaled(distance), embedding), distance.sum() + embedding.sum()


def _unscaled(raw: Tensor) -> Tensor:
    return (raw / DISTANCE_SCALE).clamp(0, 1)
