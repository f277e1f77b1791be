"""Folders of empty files: planning never opens one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phenopipe.config import Config, check_config


@pytest.fixture
def image_root(tmp_path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


@pytest.fixture
def configure(image_root):
    def build(ingest=None, **plan) -> Config:
        data = {"experiment": "trial", "plan": {"image_root": str(image_root)} | plan}
        return check_config(data | {"ingest": ingest or {}})

    return build


@pytest.fixture
def add(image_root):
    def write(*names: str, content: str = "x") -> None:
        for name in names:
            path = image_root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return write


@pytest.fixture
def refuse_to_list(monkeypatch):
    """Let the listing of folders of a name fail with an error of the system's."""

    def refuse(name: str, number: int) -> None:
        real = os.scandir

        def scandir(path):
            if Path(path).name == name:
                raise OSError(number, os.strerror(number), str(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)

    return refuse
