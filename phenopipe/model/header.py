"""What a model file says of itself; needs no torch."""

from __future__ import annotations

import json
import os

from safetensors import SafetensorError, safe_open

from phenopipe.errors import ModelError
from phenopipe.model.presets import PRESETS

FORMAT = "phenopipe-wnet-1"
#: What the setting embedding_dim may be, as headers hold it.
DIMENSIONS = tuple(map(str, range(2, 65)))


def read_header(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read what a model file says of itself.

    Raises
    ------
    ModelError
        If the file is missing, cut short or not a phenopipe model, or names no known network.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            entry = (file.metadata() or {}).get("phenopipe", "{}")
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such model file") from error
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: is damaged or no safetensors file ({error})") from error
    try:
        header = json.loads(entry)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelError(f"{path}: is no phenopipe model (its header names no {FORMAT})")
    _check(path, header)
    return header


def _check(path: str | os.PathLike[str], header: dict[str, object]) -> None:
    """Check the keys that shape the network."""
    preset, dimensions = header.get("preset"), header.get("embedding_dim")
    if preset not in list(PRESETS):
        raise ModelError(f"{path}: its header's preset is {preset!r}, not {' or '.join(PRESETS)}")
    if dimensions not in DIMENSIONS:
        raise ModelError(f"{path}: its header's embedding_dim is {dimensions!r}, not 2 to 64")
