"""Tasks and what becomes of them when workers are killed by the system."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.config import DaskSettings
from phenopipe.errors import InputError, StoreError
from phenopipe.progress import track
from phenopipe.segment import tasks
from phenopipe.segment.batch import share_out
from phenopipe.segment.tasks import TASKS_AT_ONCE, LostWorkersError, run_tasks

PROCESSES = DaskSettings(cluster="processes")


def square(number, folder, killer=None):
    """Write the square of a number, and that it was done once more.

    Task `killer` kills its own process the first time.
    """
    Path(folder, f"call-{number}-{time.monotonic_ns()}").touch()
    if number == killer and len(list(Path(folder).glob(f"call-{number}-*"))) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    Path(folder, f"result-{number}").write_text(str(number**2))


def note_process(number, folder):
    Path(folder, str(number)).write_text(str(os.getpid()))


def kill_always(number):
    os.kill(os.getpid(), signal.SIGKILL)


def fail(number):
    raise ValueError(f"number {number} is odd")


def run(function, arguments, dask=None, **options):
    settings = dask or DaskSettings(cluster="threads")
    options = {"name": "square", "workers": 2, "crops": 0, "progress": track, **options}
    run_tasks(function, arguments, dask=settings, **options)


def results(folder):
    paths = sorted(folder.glob("result-*"), key=lambda path: int(path.name[7:]))
    return [int(path.read_text()) for path in paths]


def test_every_task_is_done_once(tmp_path):
    run(square, [(n, tmp_path) for n in range(20)])
    assert results(tmp_path) == [n**2 for n in range(20)]
    assert len(list(tmp_path.glob("call-*"))) == 20
    run(square, [])


def test_a_small_set_is_done_by_this_process_without_dask(tmp_path):
    seen = []

    def count(items, total, name):
        for item in items:
            seen.append((total, name))
            yield item

    run(note_process, [(n, tmp_path) for n in range(3)], DaskSettings(), crops=3, progress=count)
    assert [path.read_text() for path in tmp_path.iterdir()] == [str(os.getpid())] * 3
    assert seen == [(3, "square")] * 3
    with pytest.raises(ValueError, match="number 1 is odd"):
        run(fail, [(1,)], DaskSettings())


def test_a_number_of_workers_below_one_is_refused():
    with pytest.raises(InputError, match=r"workers: at least 1 is needed \(is 0\)"):
        run(square, [], workers=0)


def test_a_killed_worker_costs_the_tasks_that_it_was_handed(tmp_path):
    run(square, [(n, str(tmp_path), 5) for n in range(30)], PROCESSES)
    assert results(tmp_path) == [n**2 for n in range(30)]
    calls = [path.name.split("-")[1] for path in tmp_path.glob("call-*")]
    assert calls.count("5") == 2
    # Of those in hand it had done one; tasks whose end the job has not yet heard of when their
    # worker dies are done again as well.
    assert len(calls) <= 30 + 2 + 2 * TASKS_AT_ONCE


@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 9))
def test_tasks_are_shared_out_in_ever_smaller_batches(count, workers, most):
    batches = share_out(range(count), workers, most)
    assert [task for batch in batches for task in batch] == list(range(count))
    sizes = [len(batch) for batch in batches]
    assert sizes == sorted(sizes, reverse=True)
    for batch in batches:
        left = count - batch[0]
        assert len(batch) == 1 or len(batch) <= min(most, left / workers / 2)
    if sizes and count >= 2 * workers * most:
        assert sizes[0] == most


def test_workers_that_are_killed_again_and_again_are_one_line():
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        pytest.raises(LostWorkersError, match=r"square: workers were killed 2 times at one task"),
    ):
        run(kill_always, [(1,)], PROCESSES)


def test_an_error_in_a_task_comes_back():
    with pytest.raises(ValueError, match="number 1 is odd"):
        run(fail, [(1,)])


@pytest.mark.parametrize(("cluster", "most"), [("threads", 1), ("processes", TASKS_AT_ONCE)])
def test_only_local_processes_are_handed_several_tasks(tmp_path, monkeypatch, cluster, most):
    handed = []

    def note(arguments, workers, most):
        handed.append((workers, most))
        return share_out(arguments, workers, most)

    monkeypatch.setattr(tasks, "share_out", note)
    run(square, [(n, str(tmp_path)) for n in range(4)], DaskSettings(cluster=cluster))
    assert handed == [(2, most)]


@pytest.mark.parametrize(("dask", "count"), [(None, 2), (PROCESSES, 30)])
def test_progress_counts_tasks(tmp_path, dask, count):
    seen = []

    def progress(items, total, name):
        for item in items:
            seen.append((total, name))
            yield item

    run(square, [(n, str(tmp_path)) for n in range(count)], dask, progress=progress)
    assert seen == [(count, "square")] * count


def test_a_performance_report_that_cannot_be_written_ends_it_at_once(tmp_path):
    with pytest.raises(StoreError, match=r"/proc/page\.html: cannot be written"):
        run(square, [(1, str(tmp_path))], performance_report="/proc/page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler with a worker, in processes of their own; killed at the end at the latest."""
    file = tmp_path / "scheduler.json"
    module = [sys.executable, "-m"]
    asked = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    first = subprocess.Popen([*module, "distributed.cli.dask_scheduler", *asked])
    while not file.exists():
        assert first.poll() is None
        time.sleep(0.05)
    worker = ["--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    second = subprocess.Popen([*module, "distributed.cli.dask_worker", *worker])
    yield first, json.loads(file.read_text())["address"]
    for process in (second, first):
        process.kill()
        process.wait()


def test_a_scheduler_that_is_lost_is_one_line(scheduler):
    process, address = scheduler

    def kill_it(items, total, name):
        for item in items:
            process.kill()
            yield item

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1 s"}),
        pytest.raises(LostWorkersError, match="square: Dask's scheduler was lost"),
    ):
        run(time.sleep, [(0.1,)] * 50, DaskSettings(address=address), progress=kill_it)


def test_the_performance_report_needs_no_network(tmp_path):
    page = tmp_path / "page/report.html"
    run(square, [(n, tmp_path) for n in range(4)], performance_report=page)
    text = page.read_text(encoding="utf-8")
    assert "<title>Dask Performance Report</title>" in text
    assert "square" in text, "tasks have their function's name"
    assert not re.findall(r"<(?:script|link)[^>]*(?:src|href)=.http", text)
    assert list(page.parent.iterdir()) == [page]
