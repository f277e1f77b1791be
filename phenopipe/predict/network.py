"""The network as a function of NumPy arrays."""

from __future__ import annotations

import os

import numpy as np
import torch
from numpy.typing import NDArray

from phenopipe.config import PredictSettings
from phenopipe.model.device import choose_device, choose_dtype
from phenopipe.model.weights import load_model
from phenopipe.model.wnet import DISTANCE_SCALE, WNet


class Network:
    """A W-Net made ready for inference: folded, on its device, channels last.

    Parameters
    ----------
    model : WNet or path-like
        The network (which is folded in place) or its file.
    settings : PredictSettings
        Device, precision and batch size.

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
        self._model = network.fold().to(self.device, memory_format=torch.channels_last)

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
        """
        batches = [
            self._one_batch(rgb[i : i + self.settings.batch_size])
            for i in range(0, len(rgb), self.settings.batch_size)
        ]
        if not batches:
            shape = rgb.shape[:3]
            return np.zeros(shape, np.float32), np.zeros((*shape, self.embedding_dim), np.float32)
        distances, embeddings = zip(*batches, strict=True)
        return np.concatenate(distances), np.concatenate(embeddings)

    @torch.inference_mode()
    def _one_batch(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        images = torch.from_numpy(np.ascontiguousarray(rgb)).to(self.device).permute(0, 3, 1, 2)
        reduced = self.dtype != torch.float32
        with torch.autocast(self.device.type, self.dtype, enabled=reduced):
            distance, embedding = self._model(images)
        distance = (distance / DISTANCE_SCALE).clamp(0, 1)
        return distance.cpu().numpy(), embedding.permute(0, 2, 3, 1).cpu().numpy()
