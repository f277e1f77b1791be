"""Jobs that a killed run left in SLURM, whose commands are played by scripts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phenopipe.cluster import leftovers
from phenopipe.cluster.leftovers import cancel_leftovers
from phenopipe.errors import StoreError


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that squeue prints, and that scancel takes the jobs out of."""
    (tmp_path / "bin").mkdir()
    queue = tmp_path / "queue"
    scripts = {
        "squeue": f'cat "{queue}"',
        "scancel": f'for job in "$@"; do sed -i "/^$job /d" "{queue}"; done',
    }
    for name, script in scripts.items():
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return queue


def line(job: int, folder: Path) -> str:
    return f"{job:<20}{folder}/.snakemake/slurm_logs/rule_predict/n1/{job}.log".ljust(300) + "\n"


def test_only_the_jobs_of_the_folder_are_cancelled(queue: Path, tmp_path: Path) -> None:
    mine, other = tmp_path / "night 1", tmp_path / "night 12"
    queue.write_text(
        line(1, mine) + line(2, other) + line(3, mine) + "4                   /x.log\n"
    )
    assert cancel_leftovers(mine) == ["1", "3"]
    assert [row.split()[0] for row in queue.read_text().splitlines()] == ["2", "4"]
    assert cancel_leftovers(mine) == []


def test_jobs_that_do_not_end(queue: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(leftovers, "ENDS_WITHIN_S", 0.1)
    queue.write_text(line(7, tmp_path))
    (tmp_path / "bin/scancel").write_text("#!/bin/sh\n")
    with pytest.raises(StoreError, match="SLURM jobs of an earlier run do not end: 7"):
        cancel_leftovers(tmp_path)


def test_without_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cancel_leftovers(tmp_path) == []
