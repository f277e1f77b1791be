"""Fixtures that many tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Several test processes run side by side: one thread each, set before NumPy is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the real pictures; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("PHENOPIPE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real pictures at {folder}: set PHENOPIPE_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def green_model_file(tmp_path_factory) -> Path:
    """Weights that find green discs: see tests/green_plants.py."""
    from green_plants import write_green_model

    return write_green_model(tmp_path_factory.mktemp("model") / "green.safetensors")
