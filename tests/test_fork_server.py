"""How processes start: from a fork server, where its socket has room."""

from __future__ import annotations

from multiprocessing import process

import pytest

from phenopipe.fork_server import start_method


@pytest.mark.parametrize(("length", "method"), [(1, "forkserver"), (120, "spawn")])
def test_a_long_path_of_the_temporary_folder_leaves_no_room(tmp_path, monkeypatch, length, method):
    folder = tmp_path / ("a" * length)
    folder.mkdir()
    # As `multiprocessing` keeps it for the life of a process.
    monkeypatch.setitem(process.current_process()._config, "tempdir", str(folder))
    assert start_method() == method
    assert not list(folder.iterdir())
