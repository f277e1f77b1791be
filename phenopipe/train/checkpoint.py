"""Checkpoints of a training: safetensors, so that nothing is unpickled; resumed exactly."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from phenopipe.errors import StoreError
from phenopipe.model.weights import save_tensors

log = logging.getLogger(__name__)


def save_checkpoint(
    path: Path,
    step: int,
    course: str,
    model: nn.Module,
    ema: nn.Module,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler | None = None,
) -> None:
    """Write everything that the next step depends on, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    step : int
        The next step.
    course : str
        Hash of all that the course of the training depends on.
    model, ema : Module
        The network and its averaged weights.
    optimiser : torch.optim.Optimizer
        Its optimiser.
    scaler : torch.amp.GradScaler, optional
        What scales losses, in float16.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in ema.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{k}": v for k, v in moments.items()}
    state = {"step": step, "settings": course}
    scales = {"scaler": scaler.state_dict()} if scaler else {}
    header = {"state": json.dumps(state | scales)}
    save_tensors(path, {k: v.contiguous().clone() for k, v in tensors.items()}, header)


def load_checkpoint(
    path: Path,
    course: str,
    model: nn.Module,
    ema: nn.Module,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler | None = None,
) -> int:
    """Go back to a checkpoint of a training with the same settings.

    Parameters
    ----------
    path, course, model, ema, optimiser, scaler
        As in :func:`save_checkpoint`.

    Returns
    -------
    int
        The next step; 0 if there is no checkpoint, or it belongs to other settings.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    if not path.is_file():
        return 0
    state, tensors = _read(path)
    if state["settings"] != course:
        log.warning(
            "%s: is of other settings, labels or start weights; training begins anew, and its %d "
            "steps are lost",
            path,
            state["step"],
        )
        return 0
    model.load_state_dict(_part(tensors, "model."))
    ema.load_state_dict(_part(tensors, "ema."))
    saved = optimiser.state_dict()
    saved["state"] = {}
    for name, value in _part(tensors, "optimiser.").items():
        index, key = name.split(".", 1)
        saved["state"].setdefault(int(index), {})[key] = value
    optimiser.load_state_dict(saved)
    if scaler and "scaler" in state:
        scaler.load_state_dict(state["scaler"])
    return int(state["step"])


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return json.loads(file.metadata()["state"]), tensors
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: is damaged; remove it to train from the beginning") from error


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
