"""The parts of a night, each for itself: lock, disk, sets being copied, hook, command, summary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from phenopipe.config import check_config, read_yaml
from phenopipe.errors import ConfigError
from phenopipe.nightly import run_night
from phenopipe.nightly.hook import call_hook
from phenopipe.nightly.lock import BusyError, is_in_use, sole_run
from phenopipe.nightly.settle import find_unsettled, wait_until_settled
from phenopipe.nightly.snakemake_run import (
    SnakemakeRun,
    run_snakemake,
    snakemake_command,
    write_held,
)
from phenopipe.nightly.space import NoSpaceError, check_space
from phenopipe.nightly.summary import Night, night_text, write_night
from phenopipe.run_summary import Failure, Summary

HOLD = """
import subprocess, sys
from pathlib import Path
from phenopipe.nightly.lock import sole_run
with sole_run(Path(sys.argv[1])) as lock:
    child = subprocess.Popen(["sleep", "60"], pass_fds=[lock], stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    child.wait()
"""


def test_a_lock_lasts_until_the_last_process_that_holds_it_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "folder/night.lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as owner:
        child = int(owner.stdout.readline())
        for kill in (owner.kill, lambda: os.kill(child, 9)):
            with (
                pytest.raises(BusyError, match=f"going on, process {owner.pid} on "),
                sole_run(path),
            ):
                pass
            kill()
            owner.wait()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}/fd").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    with sole_run(path):
        assert path.read_text().startswith(f"process {os.getpid()} on ")
    with sole_run(path):
        pass


def test_a_snakemake_that_was_started_by_hand(tmp_path: Path) -> None:
    marks = tmp_path / ".snakemake/locks"
    marks.mkdir(parents=True)
    lock = tmp_path / ".snakemake/phenopipe.lock"
    hold = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_SH); "
        "print(flush=True); input()"
    )
    command = [sys.executable, "-c", hold, lock]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as owner:
        owner.stdout.readline()
        assert not is_in_use(tmp_path)  # a dry-run marks nothing
        (marks / "0.output.lock").touch()
        assert is_in_use(tmp_path)
        owner.communicate(b"\n")
    assert not is_in_use(tmp_path)


def test_too_little_room(tmp_path: Path) -> None:
    with pytest.raises(NoSpaceError, match=r"results: its disk has .* GB left, .* 1e\+12 GB"):
        check_space(tmp_path / "not/yet/results", 1e12)
    assert check_space(tmp_path / "results", 0) > 0


@pytest.fixture
def config(tmp_path: Path):
    def build(**nightly: object):
        plan = {"image_root": str(tmp_path / "images")}
        return check_config({"plan": plan, "nightly": nightly})

    for name in ("night_1/a.png", "night_2/b.png", "night_2/c.png"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_text("x")
    return build


def test_sets_that_have_not_settled(config, tmp_path: Path) -> None:
    now = (tmp_path / "images/night_2/c.png").stat().st_ctime
    assert list(find_unsettled(config(settle_minutes=10), now)) == ["night_1", "night_2"]
    assert find_unsettled(config(settle_minutes=10), now + 601) == {}
    assert find_unsettled(config(settle_minutes=0), now) == {}
    os.utime(tmp_path / "images/night_2/c.png", (now + 300, now + 300))
    ((name, (file,)),) = find_unsettled(config(settle_minutes=10), now + 700).items()
    assert (name, file.image, round(file.seconds)) == ("night_2", "night_2/c.png", 400)


@pytest.mark.parametrize(("wait_minutes", "left"), [(30, []), (5, ["night_1", "night_2"])])
def test_waiting_for_sets(config, tmp_path: Path, wait_minutes: float, left: list[str]) -> None:
    now = [(tmp_path / "images/night_2/c.png").stat().st_ctime]

    def sleep(seconds: float) -> None:
        assert seconds > 0
        now[0] += seconds

    settings = config(settle_minutes=10, wait_minutes=wait_minutes)
    begun = now[0]
    assert list(wait_until_settled(settings, clock=lambda: now[0], sleep=sleep)) == left
    assert now[0] - begun == pytest.approx(300 if left else 600, abs=1)


def test_a_hook_is_no_shell(tmp_path: Path) -> None:
    script = "import sys; print(sys.argv[1:], sys.stdin.read()); sys.exit(3)"
    command = [sys.executable, "-c", script, "{status} {other}", "; touch pwned"]
    done = call_hook(command, "größer", {"status": "$(x)"}, 60)
    assert done.exit_code == 3
    assert done.problem == "ended with code 3: ['$(x) {other}', '; touch pwned'] größer"
    assert call_hook(["true"], "", {}, 60).problem == ""


def test_a_hook_that_is_missing_or_hangs() -> None:
    assert call_hook(["/nowhere/mail"], "", {}, 60).problem == (
        "cannot be started (No such file or directory)"
    )
    hangs = call_hook(["sleep", "60"], "", {}, 0.1)
    assert (hangs.exit_code, hangs.problem) == (None, "did not end within 0.1 s")


def test_the_command_of_snakemake() -> None:
    command = snakemake_command(["--cores", "2"], [Path("other.yaml"), Path("more.yaml")])
    assert command[1:5] == ["-m", "snakemake", "--cores", "2"]
    assert command[5:] == ["--configfile", "other.yaml", "more.yaml"]
    for option in ("--config", "--configfile=x.yaml", "-d"):
        with pytest.raises(ConfigError, match="cannot be passed on"):
            snakemake_command([option], [Path("other.yaml")])


def test_names_of_held_sets_are_written_down(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"1e5", "it's $(touch pwned)", 'say "x"', "two  spaces " * 20, "\N{SEEDLING} night"}
    assert read_yaml(write_held(names)) == {"plan": {"hold": sorted(names)}}


def test_what_a_run_said(tmp_path: Path) -> None:
    said = "error: a is b\\nall is well\\nerror: a is b\\nError in rule predict:\\n"
    command = [sys.executable, "-c", f"print('{said}'); raise SystemExit(4)"]
    with sole_run(tmp_path / "lock") as lock:
        run = run_snakemake(command, tmp_path / "logs/night.log", lock)
    assert (run.exit_code, run.errors) == (4, ("error: a is b", "Error in rule predict:"))
    assert "all is well" in (tmp_path / "logs/night.log").read_text()


def test_the_summary_of_a_night(tmp_path: Path) -> None:
    night = Night("trial\x1b[31m", "2026-03-01T02:00:00+01:00", "node", "0.1")
    failed = Summary(3, 2, 1, (Failure("night_1", "night_1/a.png", "A1", "is truncated"),))
    night.made = {"default": {"night_1": failed}}
    night.unfinished = {"default": ["night_2"]}
    night.problems = ["error: a\tb"]
    night.cleaned_bytes = 2_000_000_000
    text = night_text(night)
    assert "trial\\x1b[31m: failed (exit code 5)" in text
    assert "night_1          6        3        2        1" in text
    assert "failed: night_1, night_1/a.png, pot A1: is truncated" in text
    assert "image sets without tables:\n  night_2\n" in text
    assert "error: a\\tb" in text
    assert "cleaned: 2 GB" in text
    write_night(night, tmp_path / "n/x.json", tmp_path / "n/x.txt")
    assert {path.name for path in (tmp_path / "n").iterdir()} == {
        *("x.json", "x.txt", "latest.json", "latest.txt")
    }
    read = json.loads((tmp_path / "n/latest.json").read_text())
    assert read["exit_code"] == 5
    assert read["made"]["default"]["night_1"]["failures"][0]["pot"] == "A1"


@pytest.fixture
def night_folder(tmp_path: Path, monkeypatch) -> Path:
    """An experiment whose hook writes what it is told."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images/night_1").mkdir(parents=True)
    (tmp_path / "images/night_1/a.png").touch()
    config = {
        "plan": {"image_root": "images"},
        "nightly": {"settle_minutes": 60, "wait_minutes": 0, "hook": ["cp", "{text}", "told"]},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_a_night_of_which_all_waits_or_is_gone_is_well(night_folder: Path) -> None:
    plans = night_folder / "results/plan"
    plans.mkdir(parents=True)
    (plans / "moved_away.roster.tsv").touch()
    night = run_night(Path("c.yaml"))
    assert (night.status, night.command) == ("well", [])
    assert list(night.waiting) == ["night_1"]


def test_whatever_ends_a_night_somebody_is_told(night_folder: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("phenopipe.nightly.night.check_space", fail)
    with pytest.raises(OSError, match="Input/output"):
        run_night(Path("c.yaml"))
    assert latest(night_folder)["status"] == "failed"
    assert "Input/output error" in (night_folder / "told").read_text()


def latest(folder: Path):
    return json.loads((folder / "results/nightly/latest.json").read_text())


@pytest.mark.parametrize("code", [0, 1])
def test_what_snakemake_said_stays_though_a_table_cannot_be_read(
    night_folder: Path, monkeypatch, code: int
) -> None:
    table = night_folder / "results/analyses/default/sets/night_1/plants.parquet"
    table.parent.mkdir(parents=True)

    def run(*_: object) -> SnakemakeRun:
        table.write_text("no table")
        return SnakemakeRun(code, ("error: a is b",) * code)

    monkeypatch.setattr("phenopipe.nightly.night.run_snakemake", run)
    configure(night_folder, settle_minutes=0)
    night = run_night(Path("c.yaml"))
    assert (night.status, night.exit_code, night.snakemake_exit_code) == ("failed", 5, code)
    *said, unread = night.problems
    assert said == ["error: a is b"] * code
    assert unread.startswith("results/analyses/default/sets/night_1/plants.parquet: ")


def configure(folder: Path, **nightly: object) -> None:
    config = yaml.safe_load((folder / "c.yaml").read_text())
    config["nightly"] |= nightly
    config["retention"] = {"crops_days": 1}
    (folder / "c.yaml").write_text(yaml.safe_dump(config))


#: A night that is told to stop when it waits, and when it cleans; its Snakemake is an argument.
STOPPED = """
import signal, sys
from pathlib import Path
from phenopipe.nightly import night, settle

def stop(*_, **__):
    signal.raise_signal(signal.SIGTERM)

settle.log.info = night.clean_crops = stop
night.snakemake_command = lambda *_: [sys.executable, "-c", sys.argv[1]]
code = night.run_night(Path("c.yaml")).exit_code
sys.exit(code if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL else "a handler is left")
"""
#: Lets the night be told to stop, and ends when it hears of that.
STOPPED_SNAKEMAKE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
time.sleep(1)
os.kill(os.getppid(), signal.SIGTERM)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("when", "snakemake_code", "problems"),
    [
        ("waiting", None, ["stopped by a signal"]),
        ("running", 3, []),
        ("cleaning", 0, ["stopped by a signal"]),
    ],
)
def test_a_night_that_is_told_to_stop(
    night_folder: Path, when: str, snakemake_code: int | None, problems: list[str]
) -> None:
    configure(
        night_folder,
        settle_minutes=60 if when == "waiting" else 0,
        wait_minutes=60,
        clean=when == "cleaning",
    )
    snakemake = STOPPED_SNAKEMAKE if when == "running" else ""
    done = subprocess.run([sys.executable, "-c", STOPPED, snakemake], timeout=50)
    assert done.returncode == 5
    summary = latest(night_folder)
    assert (summary["status"], summary["exit_code"]) == ("failed", 5)
    assert (summary["snakemake_exit_code"], summary["problems"]) == (snakemake_code, problems)
    assert "failed (exit code 5)" in (night_folder / "told").read_text()


def test_a_night_in_another_thread(night_folder: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run_night, Path("c.yaml")).result().status == "well"
