"""The network: the W-Net, its presets and its weight files."""

from phenopipe.model.presets import PRESETS, Preset, get_preset
from phenopipe.model.weights import (
    copy_weights,
    file_sha256,
    find_weights,
    load_model,
    read_header,
    save_model,
)
from phenopipe.model.wnet import DISTANCE_SCALE, WNet, standardise

__all__ = [
    "DISTANCE_SCALE",
    "PRESETS",
    "Preset",
    "WNet",
    "copy_weights",
    "file_sha256",
    "find_weights",
    "get_preset",
    "load_model",
    "read_header",
    "save_model",
    "standardise",
]
