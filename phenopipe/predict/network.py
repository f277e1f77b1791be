"""The network as a function of NumPy arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phenopipe.config import PredictSettings
from phenopipe.errors import ModelError
from phenopipe.model.device import choose_device, choose_dtype
from phenopipe.model.weights import load_model
from phenopipe.model.wnet import DISTANCE_SCALE, WNet

Result = TypeVar("Result")


class Network:
    """A W-Net made ready for inference: folded, on its device, channels last.

    Parameters
    ----------
    model : WNet or path-like
        The network (which is folded in place) or its file.
    settings : PredictSettings, optional
        Device, precision and batch size.

    Attributes
    ----------
    settings : PredictSettings
        As given.
    device : torch.device
        Where it runs.
    dtype : torch.dtype
        In which arithmetic; bfloat16 is that of the convolutions alone.
    embedding_dim : int
        Dimensions E of the embedding.

    Raises
    ------
    ModelError
        If the file is damaged, or the device is not there.
    """

    def __init__(
        self, model: WNet | str | os.PathLike[str], settings: PredictSettings | None = None
    ) -> None:
        self.settings = settings or PredictSettings()
        self.device = choose_device(self.settings.device)
        self.dtype = choose_dtype(self.settings.precision, self.device)
        network = model if isinstance(model, WNet) else load_model(model)
        self.embedding_dim = network.embedding_dim
        network = network.fold().to(self.device)
        self._model: WNet = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

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
            If a batch does not fit into the device's memory.
        """
        shape = rgb.shape[:3]
        distances = np.zeros(shape, np.float32)
        embeddings = np.zeros((*shape, self.embedding_dim), np.float32)
        for part, (distance, embedding) in self._batches(self._model, rgb):
            distances[part] = self._distance(distance)
            embeddings[part] = embedding.permute(0, 2, 3, 1).cpu().numpy()
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
            If a batch does not fit into the device's memory.
        """
        distances = np.zeros(rgb.shape[:3], np.float32)
        for part, distance in self._batches(self._model.distance, rgb):
            distances[part] = self._distance(distance)
        return distances

    @torch.inference_mode()
    def _batches(
        self, run: Callable[[Tensor], Result], rgb: NDArray[np.uint8]
    ) -> Iterator[tuple[slice, Result]]:
        """Yield what a part of the network says of each batch, and which crops those are."""
        reduced = self.dtype != torch.float32
        for start in range(0, len(rgb), self.settings.batch_size):
            part = slice(start, start + self.settings.batch_size)
            images = torch.from_numpy(np.ascontiguousarray(rgb[part])).to(self.device)
            try:
                with torch.autocast(self.device.type, self.dtype, enabled=reduced):
                    result = run(images.permute(0, 3, 1, 2))
            except torch.OutOfMemoryError as error:
                raise ModelError(
                    f"predict.batch_size: {len(images)} crops of {rgb.shape[2]}x{rgb.shape[1]} px "
                    f"do not fit into the memory of {self.device}; lower it"
                ) from error
            yield part, result

    @staticmethod
    def _distance(raw: Tensor) -> NDArray[np.float32]:
        scaled: NDArray[np.float32] = (raw / DISTANCE_SCALE).clamp(0, 1).cpu().numpy()
        return scaled
