"""What a model file says of itself; needs no torch."""

from __future__ import annotations

import json
import os

from safetensors import SafetensorError, safe_open

from phenopipe.errors import ModelError

FORMAT = "phenopipe-wnet-1"


def read_header(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read what a model file says of itself.

    Raises
    ------
    ModelError
        If the file is missing, cut short or not a phenopipe model.
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
    return header
