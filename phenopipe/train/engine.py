"""Where and in which arithmetic a training runs: one process, or one for each device."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision, Precision
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.single_device import SingleDeviceStrategy

from phenopipe.config import TrainSettings
from phenopipe.errors import ModelError
from phenopipe.model.device import choose_device, choose_training_dtype
from phenopipe.train.processes import run_processes

log = logging.getLogger(__name__)


def train_on_devices(
    function: Callable[..., None],
    settings: TrainSettings,
    *arguments: Any,  # noqa: ANN401
) -> None:
    """Call ``function(fabric, *arguments)``, in one process for each device.

    On a single device it is called in this process. Processes are spawned: they import the
    main module, and `function` and `arguments` must be picklable.

    Parameters
    ----------
    function : callable
        What trains; of a module, not of another function.
    settings : TrainSettings
        ``device``, ``devices``, ``precision`` and ``batch_size`` say where and how.
    *arguments
        Passed on.

    Raises
    ------
    ModelError
        If there are fewer GPUs than asked for.
    PhenopipeError
        Whatever `function` raises, from whichever process.
    """
    device = choose_device(settings.device, "train.device")
    devices = count_devices(settings, device)
    if devices == 1:
        function(make_fabric(settings, device), *arguments)
    else:
        run_processes(_train, devices, device.type, function, settings, device, devices, *arguments)


def count_devices(settings: TrainSettings, device: torch.device) -> int:
    """Return how many devices, or processes on the CPU, share each batch.

    Raises
    ------
    ModelError
        If there are fewer GPUs than asked for.
    """
    visible = torch.cuda.device_count() if device.type == "cuda" else None
    if settings.devices != "auto":
        if visible is not None and visible < settings.devices:
            raise ModelError(
                f"train.devices: is {settings.devices}, but torch finds {visible} GPUs here"
            )
        return settings.devices
    if visible is None:
        return 1
    used = next(n for n in range(visible, 0, -1) if settings.batch_size % n == 0)
    if used < visible:
        log.warning(
            "only %d of %d GPUs are used: a batch_size of %d cannot be shared out to more",
            used,
            visible,
            settings.batch_size,
        )
    return used


def make_fabric(settings: TrainSettings, device: torch.device, devices: int = 1) -> Fabric:
    """Make the engine of this process.

    Parameters
    ----------
    settings : TrainSettings
        ``precision`` says in which arithmetic it computes.
    device : torch.device
        Kind of device.
    devices : int
        Processes of this training; above 1 they must have met already.
    """
    single = torch.device(device.type, 0) if device.type == "cuda" else device
    fabric = Fabric(
        accelerator=device.type,
        devices=devices,
        strategy=SingleDeviceStrategy(single) if devices == 1 else DDPStrategy(),
        # Not what Fabric reads from a scheduler's variables: a job has one task, whose processes
        # are started here.
        plugins=[LightningEnvironment(), _precision(settings, device)],
    )
    fabric.launch()
    return fabric


def _precision(settings: TrainSettings, device: torch.device) -> Precision:
    dtype = choose_training_dtype(settings.precision, device)
    if dtype == torch.float32:
        return Precision()
    return MixedPrecision("16-mixed" if dtype == torch.float16 else "bf16-mixed", device.type)


def _train(
    function: Callable[..., None],
    settings: TrainSettings,
    device: torch.device,
    devices: int,
    *arguments: Any,  # noqa: ANN401
) -> None:
    function(make_fabric(settings, device, devices), *arguments)
