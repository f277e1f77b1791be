"""Where the network runs, and in which arithmetic."""

from __future__ import annotations

import logging
import os

import torch

from phenopipe.errors import ModelError

log = logging.getLogger(__name__)


def choose_device(name: str, setting: str = "predict.device") -> torch.device:
    """Return the device that the setting names.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda"}
        auto takes a GPU that torch can really use, whatever ``CUDA_VISIBLE_DEVICES`` says.
    setting : str
        What the setting is called, for the error.

    Raises
    ------
    ModelError
        If "cuda" is asked for and there is no GPU: a GPU job must not run on a CPU in silence.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        if name == "auto":
            _warn_of_missing_gpu(setting)
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ModelError(f"{setting}: is cuda, but torch finds no GPU here; set it to auto or cpu")
    return torch.device("cuda")


def _warn_of_missing_gpu(setting: str) -> None:
    """Say loudly that a job has a GPU which torch cannot use: it is paid for, and the job slow."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if given not in ("", "-1"):
        log.warning(
            "%s: is auto and takes the slow CPU, although this job was given a GPU "
            "(CUDA_VISIBLE_DEVICES=%s): torch finds none; cuda would have stopped the job",
            setting,
            given,
        )


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the arithmetic that the setting names.

    Parameters
    ----------
    precision : {"auto", "bf16", "fp32"}
        auto takes bfloat16 where the hardware computes it natively.
    device : torch.device
        Where the network runs.
    """
    if precision == "fp32":
        return torch.float32
    if precision == "bf16" or _native_bf16(device):
        return torch.bfloat16
    return torch.float32


def choose_training_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the arithmetic of a training, in which float16 has a place.

    Parameters
    ----------
    precision : {"auto", "bf16", "fp16", "fp32"}
        auto takes bfloat16 where the hardware computes it natively, else float16 on a GPU.
    device : torch.device
        Where the network learns.
    """
    if precision == "fp16":
        return torch.float16
    dtype = choose_dtype(precision, device)
    if precision == "auto" and dtype == torch.float32 and device.type == "cuda":
        return torch.float16
    return dtype


def _native_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
