"""Fixtures that many tests share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Several test processes run side by side: one thread each, set before NumPy is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Other work on the machine must not make a test fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one process, and all that need SLURM: there is one of it."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "slurm" if "tests/cluster/" in nodeid else super()._split_scope(nodeid)

    return ByFile(config, log)


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Give a function that makes a file system of so many KiB; a test is skipped without root."""
    mounted: list[Path] = []

    def make(kib: int) -> Path:
        mount = tmp_path / f"disk{len(mounted)}"
        mount.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(mount)]
        made = subprocess.run(command, capture_output=True)
        if made.returncode:
            pytest.skip(f"no small tmpfs can be mounted here: {made.stderr.decode().strip()}")
        mounted.append(mount)
        return mount

    yield make
    for mount in mounted:
        subprocess.run(["umount", str(mount)], check=True)
