"""The lock of a run ends with its process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from phenopipe.run_lock import RunLock

HOLD = """
import sys, time
from phenopipe.run_lock import RunLock
lock = RunLock(sys.argv[1])
lock.join()
lock.sign()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "run.lock"


@pytest.fixture
def owner(path):
    """Another process that holds the lock and has signed it."""
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def join(path):
    """Join from a process of its own, since a lock that this one holds would be in the way."""
    code = f"from phenopipe.run_lock import RunLock; print(RunLock({str(path)!r}).join())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip() == "True"


def test_an_owner_that_lives(path, owner):
    assert not join(path)
    assert not join(path)


def test_an_owner_that_was_killed(path, owner):
    owner.kill()
    owner.wait()
    assert join(path)


def test_a_killed_owner_while_another_process_looks_on(path, owner):
    watcher = RunLock(path)
    assert not watcher.join()
    owner.kill()
    owner.wait()
    assert not join(path)


def test_a_folder_that_nobody_owned(path):
    assert not join(path)


def test_an_owner_on_another_machine(path, owner):
    owner.kill()
    owner.wait()
    path.write_text("another-machine")
    assert not join(path)
    assert not join(path)
    RunLock(path).sign()
    assert join(path)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert not join(tmp_path / "file" / "run.lock")
