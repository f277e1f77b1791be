"""Checkpoints of a training: safetensors, so that nothing is unpickled; resumed exactly."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from phenopipe.model.weights import save_tensors


def save_checkpoint(
    path: Path,
    step: int,
    settings_digest: str,
    model: nn.Module,
    ema: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write everything that the next step depends on, whole or not at all.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in ema.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{k}": v for k, v in state.items()}
    header = {"state": json.dumps({"step": step, "settings": settings_digest})}
    save_tensors(path, {k: v.contiguous().clone() for k, v in tensors.items()}, header)


def load_checkpoint(
    path: Path,
    settings_digest: str,
    model: nn.Module,
    ema: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> int:
    """Go back to a checkpoint of a training with the same settings.

    Returns
    -------
    int
        The next step; 0 if there is no checkpoint, or it belongs to other settings.
    """
    if not path.is_file():
        return 0
    with safe_open(path, framework="pt") as file:
        state = json.loads(file.metadata()["state"])
        if state["settings"] != settings_digest:
            return 0
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    model.load_state_dict(_part(tensors, "model."))
    ema.load_state_dict(_part(tensors, "ema."))
    saved = optimiser.state_dict()
    saved["state"] = {}
    for name, value in _part(tensors, "optimiser.").items():
        index, key = name.split(".", 1)
        saved["state"].setdefault(int(index), {})[key] = value
    optimiser.load_state_dict(saved)
    return int(state["step"])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
