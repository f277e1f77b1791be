"""The networks of a job: one on each device that it may use."""

from __future__ import annotations

import os

import torch

from phenopipe.config import PredictSettings
from phenopipe.errors import ModelError
from phenopipe.model.device import choose_device
from phenopipe.predict.network import Network


def open_networks(
    model: str | os.PathLike[str], settings: PredictSettings | None = None
) -> list[Network]:
    """Load a model onto all GPUs that the settings ask for, or once onto the CPU.

    Parameters
    ----------
    model : path-like
        Model file.
    settings : PredictSettings, optional
        Which device, and how many.

    Returns
    -------
    list of Network
        At least one.

    Raises
    ------
    ModelError
        If the model is damaged, or there are fewer GPUs than asked for.
    """
    settings = settings or PredictSettings()
    device = choose_device(settings.device)
    if device.type == "cpu":
        return [Network(model, settings, device)]
    there = torch.cuda.device_count()
    wanted = there if settings.devices == "auto" else settings.devices
    if wanted > there:
        raise ModelError(f"predict.devices: is {wanted}, but torch finds {there} GPUs here")
    return [Network(model, settings, torch.device("cuda", index)) for index in range(wanted)]
