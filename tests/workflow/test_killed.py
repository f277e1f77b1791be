"""A run that is killed: the same command goes on where it stopped."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import time
from collections import Counter

import pytest
from experiment import Run

pytestmark = pytest.mark.workflow

TABLES = [f"results/analyses/one/sets/night_1/{table}.csv" for table in ("plants", "leaves")]
JOBS = Counter(plan=1, ingest=3, predict=3, segment=1, tabulate=1)


def contents(folder):
    """Content of every file below a folder but for times and ids; temporary names are left out."""
    return {
        str(path.relative_to(folder)): content(path)
        for path in folder.rglob("*")
        if path.is_file() and not any(part.endswith(".part") for part in path.parts)
    }


def content(path):
    if path.name == "sets.json":  # says when each roster was written
        planned = json.loads(path.read_text(encoding="utf-8"))
        for image_set in planned["sets"].values():
            del image_set["roster"]
        return json.dumps(planned)
    if not path.name.endswith(".schema.json"):
        return path.read_bytes()
    described = json.loads(path.read_text(encoding="utf-8"))
    del described["about"]["run"]
    return json.dumps(described)


def kill_when(process, happened, timeout=120):
    """Kill Snakemake and its jobs as soon as something has happened."""
    deadline = time.monotonic() + timeout
    while not happened():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    output = process.communicate()[0]
    assert process.returncode == -signal.SIGKILL
    return Run(process.returncode, output)


def test_a_run_killed_twice_ends_as_an_undisturbed_one(finished, tmp_path):
    experiment = finished.fresh(tmp_path / "experiment")
    whole = contents(finished.results)
    predictions = experiment.results / "predictions/net/night_1"
    predict = kill_when(experiment.start(*TABLES), lambda: any(predictions.glob("*.zarr")))
    assert contents(experiment.results).items() <= whole.items()

    log = experiment.folder / "logs/segment/one/night_1.log"
    segment = kill_when(experiment.start(*TABLES), log.exists)
    assert contents(experiment.results).items() <= whole.items()

    last = experiment.run(*TABLES)
    assert last.code == 0, last.output
    assert predict.finished + segment.finished + last.finished == JOBS
    assert last.finished == {"segment": 1, "tabulate": 1}
    assert not list(experiment.results.rglob("*.part"))
    remade = contents(experiment.results)
    assert remade.items() <= whole.items()
    assert set(TABLES) <= {f"results/{name}" for name in remade}


def test_the_mark_of_a_living_run_stays_and_that_of_a_dead_one_goes(raw):
    mark = raw.folder / ".snakemake/locks/0.output.lock"
    mark.parent.mkdir(parents=True)
    mark.write_text("results/plan/night_1.tsv\n")
    with (raw.folder / ".snakemake/phenopipe.lock").open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_SH)
        owner.write(socket.gethostname())
        owner.flush()
        second = raw.run(*TABLES)
    assert second.code == 1
    assert "Directory cannot be locked" in second.output
    assert not raw.results.exists()
    assert raw.run("results/plan/night_1.tsv").code == 0
