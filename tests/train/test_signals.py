"""Signals: a training that is stopped or killed goes on with the losses that it would have had."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from phenopipe.train.signals import STOPPING, StopRequest, deaf_processes

STEPS = 36
TRAIN = {
    "preset": "tiny",
    "embedding_dim": 4,
    "image_size": 64,
    "steps": STEPS,
    "batch_size": 2,
    "warmup_steps": 2,
    "workers": 1,
    "validation_images": 1,
}
#: After how many steps of the training which signal comes, to all of its processes at once.
SIGNALS = {4: signal.SIGTERM, 10: signal.SIGUSR1, 16: signal.SIGKILL}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    model = {"weights": None, "train": TRAIN}
    analyses = {"default": {"model": "net"}}
    path.write_text(yaml.safe_dump({"models": {"net": model}, "analyses": analyses}))
    return path


def start(config: Path, out: Path) -> subprocess.Popen[str]:
    code = "from phenopipe.cli import main\nif __name__ == '__main__':\n    main()\n"
    script = config.with_name("phenopipe_train.py")
    script.write_text(code)
    return subprocess.Popen(
        [sys.executable, str(script), "train", "net", "-c", str(config), "-o", str(out)],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


def losses(out: Path) -> list[list[str]]:
    with (out / "net/training/losses.csv").open() as file:
        return [row[:-1] for row in csv.reader(file)]  # the last column is seconds


def steps_done(out: Path) -> int:
    path = out / "net/training/losses.csv"
    return path.read_text().count("\n") - 1 if path.exists() else 0


def test_a_training_stopped_twice_and_killed_once_takes_its_course(
    config: Path, tmp_path: Path
) -> None:
    whole = start(config, tmp_path / "whole")
    out = tmp_path / "broken"
    for step, number in SIGNALS.items():
        process = start(config, out)
        while steps_done(out) < step:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        os.killpg(process.pid, number)
        told = process.communicate(timeout=300)[1]
        if number == signal.SIGKILL:
            assert process.returncode == -number
        else:
            last = steps_done(out)
            assert process.returncode == 1, told
            assert told.splitlines()[-1] == (
                f"error: training stopped by {number.name} after step {last} of {STEPS}; "
                "the same command goes on from there"
            )
            assert "Traceback" not in told
    last = start(config, out)
    told = last.communicate(timeout=300)[1]
    assert last.returncode == 0, told
    assert f"of {STEPS}" in told and "going on from step" in told
    assert whole.wait(timeout=300) == 0
    assert losses(out) == losses(tmp_path / "whole")
    assert len(losses(out)) == STEPS + 1
    made = [folder / "net/model.safetensors" for folder in (out, tmp_path / "whole")]
    assert made[0].read_bytes() == made[1].read_bytes()


@pytest.mark.parametrize("number", STOPPING)
def test_a_request_notes_the_signal_and_gives_back_the_handlers(number: int) -> None:
    before = [signal.getsignal(each) for each in STOPPING]
    heard: list[int] = []
    with StopRequest(heard.append) as request:
        assert request.signal_name is None
        os.kill(os.getpid(), number)
        assert request.signal_name == signal.Signals(number).name
    assert heard == [number]
    assert [signal.getsignal(each) for each in STOPPING] == before


def test_in_another_thread_nothing_is_noted() -> None:
    names: list[str | None] = []

    def work() -> None:
        with StopRequest() as request:
            names.append(request.signal_name)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert names == [None]


def test_a_deaf_process_lives_on_and_this_one_hears() -> None:
    with StopRequest() as request:
        with deaf_processes():
            process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
            os.kill(os.getpid(), signal.SIGTERM)
        assert request.signal_name == "SIGTERM"
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGUSR1)
    process.communicate(b"\n", timeout=60)
    assert process.returncode == 0
