"""What a set cost, by the logs of its jobs and by what lies on the disk."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from phenopipe.errors import StoreError
from phenopipe.job_files import Job, job_line
from phenopipe.logs import stage_log
from phenopipe.report.costs import CostFiles, cost_facts, stage_cost


def write_job(stem: Path, wall: float, cpu: float, gpus: int = 0) -> Path:
    times = "2026-03-01T00:00:00+01:00", "2026-03-01T00:01:00+01:00"
    write_log(stem, job_line(Job(*times, "node", "7", gpus, wall, cpu)))
    return stem


def write_log(stem: Path, line: str) -> None:
    Path(f"{stem}.log").write_text(f"2026-03-01 00:01:00,000 INFO phenopipe.logs: {line}\n")


def test_sums_over_the_jobs_of_a_stage(tmp_path: Path) -> None:
    stems = [
        write_job(tmp_path / "0.0", 10.0, 4.0, 2),
        write_job(tmp_path / "1", 5.0, 1.5),
    ]
    cost = stage_cost(stems)
    assert (cost.wall_s, cost.cpu_s, cost.gpu_s) == (15, 5.5, 20)


def test_facts_for_an_image(tmp_path: Path) -> None:
    (tmp_path / "0000.zarr").mkdir()
    (tmp_path / "0000.zarr/chunk").write_bytes(bytes(600))
    (tmp_path / "plants.csv").write_bytes(bytes(200))
    files = CostFiles(
        jobs={"ingest": [write_job(tmp_path / "i", 2, 1)],
              "predict": [write_job(tmp_path / "p", 6, 3, 1)]},
        stored={"crops": [tmp_path / "0000.zarr"], "tables": [tmp_path / "plants.csv"]},
    )  # fmt: skip
    assert cost_facts(files, 4) == [
        ("images an hour, one job after another", "1\u202f800"),
        ("CPU-s an image", "1 (ingest 0.25, predict 0.75)"),
        ("GPU-s an image", "1.5 (ingest 0, predict 1.5)"),
        ("bytes an image on the disk", "200 (crops 150, tables 50)"),
    ]
    assert cost_facts(files, 0) == []


def test_what_is_not_known_is_a_dash_and_no_zero(tmp_path: Path) -> None:
    job = json.loads(job_line(Job("a", "b", "node", "", 0)).removeprefix("job "))
    older = {name: value for name, value in job.items() if name not in ("wall_s", "cpu_s")}
    write_log(tmp_path / "older", f"job {json.dumps(older)}")
    for unknown in ("gone", "older"):
        files = CostFiles(
            {"ingest": [tmp_path / unknown], "predict": [write_job(tmp_path / "p", 2, 1)]}
        )
        facts = dict(cost_facts(files, 2))
        assert facts["images an hour, one job after another"] == "\u2013"
        assert facts["CPU-s an image"] == "\u2013 (ingest \u2013, predict 0.5)"


def test_a_damaged_log_is_named(tmp_path: Path) -> None:
    write_log(tmp_path / "x", 'job {"started": 1}')
    with pytest.raises(StoreError, match=r"x\.log: cannot be read as the log of a job"):
        stage_cost([tmp_path / "x"])


BUSY = """
import multiprocessing, subprocess, sys, time
from phenopipe.logs import stage_log

def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

if __name__ == "__main__":
    with stage_log("busy.log"):
        spin(0.3)
        subprocess.run([sys.executable, "-c", "from busy import spin; spin(0.3)"], check=True)
        worker = multiprocessing.get_context("forkserver").Process(target=spin, args=(2,))
        worker.start()
        worker.join()
        time.sleep(0.2)
"""


def test_a_job_counts_what_it_and_its_processes_took(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(BUSY)
    start = time.perf_counter()
    subprocess.run([sys.executable, "busy.py"], cwd=tmp_path, check=True)
    wall = time.perf_counter() - start
    cost = stage_cost([tmp_path / "busy"])
    assert cost.cpu_s >= 2.6, "without the worker it is about 1.4 s, imports included"
    assert wall - 0.6 <= cost.wall_s <= wall + 0.05
    assert cost.gpu_s == 0


def test_a_job_whose_time_is_not_told_ends_as_ever(tmp_path: Path, monkeypatch, capsys) -> None:
    def denied(*_: object, **__: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "children", denied)
    with stage_log(tmp_path / "good.log"):
        pass
    assert math.isnan(stage_cost([tmp_path / "good"]).cpu_s)
    with pytest.raises(SystemExit), stage_log(tmp_path / "bad.log"):
        raise StoreError("x: is damaged")
    assert capsys.readouterr().err == "error: x: is damaged\n"
