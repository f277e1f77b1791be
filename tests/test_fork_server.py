"""How processes start: from a fork server, where its socket has room."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import process
from pathlib import Path

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


WATCHED = """
import runpy
import sys
from types import SimpleNamespace
from phenopipe import fork_server

def start(*modules):
    print("started", "late" if "phenopipe.segment" in sys.modules else "early")

fork_server.start_fork_server = start
"""
COMMAND = """
from phenopipe.cli import main
names = ["--crops", "no.zarr", "--predictions", "no", "--out", "out", "--config", "c.yaml"]
sys.argv = ["phenopipe", "segment", *names, "--workers", {workers!r}]
main()
"""
SCRIPT = """
job = SimpleNamespace(
    log=["job.log"],
    config={{}},
    threads={workers},
    input=SimpleNamespace(tables=["no.tsv"], crops=["no.zarr"], predictions=["no"]),
    output=SimpleNamespace(labels="out/labels.zarr", measurements="out/measurements.parquet"),
    params=SimpleNamespace(roster="no", settings={{}}),
)
runpy.run_path({script!r}, {{"snakemake": job}}, "__main__")
"""


@pytest.mark.parametrize("job", [COMMAND, SCRIPT])
@pytest.mark.parametrize(("workers", "printed"), [("2", "started early\n"), ("1", "")])
def test_it_starts_before_segment_imports_what_it_needs(tmp_path, job, workers, printed):
    script = Path(__file__).parents[1] / "workflow/scripts/segment.py"
    (tmp_path / "c.yaml").write_text("{}")
    code = WATCHED + job.format(workers=workers, script=str(script))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == printed
    assert done.returncode == 1, "there is nothing to segment"
    assert "error: no.tsv" in done.stderr
