"""Where model files are, and which is which; needs no torch."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from phenopipe.errors import ModelError

#: Weights that come with the package.
PACKAGED = Path(__file__).parent / "weights"


def find_weights(name: str | os.PathLike[str]) -> Path:
    """Return the file of packaged weights by name, or of a path given by the user.

    Raises
    ------
    ModelError
        If there is no such file.
    """
    name = os.fspath(name)
    path = Path(name) if name.endswith(".safetensors") else PACKAGED / f"{name}.safetensors"
    if not path.is_file():
        packaged = ", ".join(sorted(p.stem for p in PACKAGED.glob("*.safetensors"))) or "none"
        raise ModelError(
            f"{name}: no such model; give a .safetensors file or packaged weights ({packaged})"
        )
    return path


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
