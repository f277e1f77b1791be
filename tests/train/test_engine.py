"""Devices: how many share a batch, in which arithmetic, and that their shares make up the whole."""

from __future__ import annotations

import csv
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from phenopipe.config import LossSettings, TrainSettings
from phenopipe.errors import ModelError, StoppedError
from phenopipe.labelled import open_sources
from phenopipe.model.device import choose_training_dtype
from phenopipe.model.wnet import WNet
from phenopipe.train import loop
from phenopipe.train.checkpoint import save_checkpoint
from phenopipe.train.data import training_batches
from phenopipe.train.engine import count_devices, make_fabric, train_on_devices
from phenopipe.train.loop import optimise
from phenopipe.train.loss_log import PARTS
from phenopipe.train.training import Training

torch.set_num_threads(1)
CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SETTINGS = TrainSettings(
    preset="tiny",
    embedding_dim=4,
    image_size=64,
    steps=12,
    batch_size=4,
    warmup_steps=2,
    workers=0,
    device="cpu",
    precision="fp32",
    losses=LossSettings(intra=0, inter=0, contrast=0),
)
SOURCES = open_sources(SETTINGS.data)


def train_plainly(fabric: Fabric, settings: TrainSettings, folder: Path) -> None:
    """Train a network without normalisation, whose statistics would be each process's own."""
    torch.manual_seed(0)
    model = WNet(settings.preset, settings.embedding_dim)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    training = Training.start(model, fabric)
    for _ in optimise(training, settings, SOURCES, folder):
        time.sleep(0.05)  # time for a signal
    (folder / f"listening-{fabric.global_rank}").write_text(" ".join(listening()))
    if fabric.is_global_zero:
        torch.save(training.averaged.state_dict(), folder / "averaged.pt")


def listening() -> list[str]:
    """Return the addresses at which this process can be reached."""
    connections = psutil.Process().net_connections()
    return [c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN]


def course(folder: Path) -> list[dict[str, float]]:
    with (folder / "losses.csv").open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def stop_when_under_way(losses: Path) -> None:
    while not losses.exists() or len(losses.read_text().splitlines()) < 4:
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)


def test_two_processes_take_the_course_of_one_also_after_a_signal(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    train_on_devices(train_plainly, SETTINGS, SETTINGS, one)

    settings = SETTINGS.model_copy(update={"devices": 2})
    threading.Thread(target=stop_when_under_way, args=[two / "losses.csv"], daemon=True).start()
    with pytest.raises(StoppedError, match=r"after step \d+ of 12; the same command goes on"):
        train_on_devices(train_plainly, settings, settings, two)
    assert 3 <= len(course(two)) < 12
    train_on_devices(train_plainly, settings, settings, two)

    assert len(course(two)) == 12
    for alone, together in zip(course(one), course(two), strict=True):
        assert together["distance"] == pytest.approx(alone["distance"], rel=1e-3)
        assert together["gradient_norm"] == pytest.approx(alone["gradient_norm"], rel=2e-2)
        for part in PARTS:
            assert together[part] == pytest.approx(alone[part], rel=0.25)
    weights = [torch.load(folder / "averaged.pt", weights_only=True) for folder in (one, two)]
    # Of single weights AdamW makes steps by the sign of what may be rounding.
    for name, value in weights[0].items():
        assert (weights[1][name] - value).norm() < 1e-2 * value.norm() + 1e-6
    reached = {ip for rank in (0, 1) for ip in (two / f"listening-{rank}").read_text().split()}
    assert reached and reached <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def prepare_for_ever(_fabric: Fabric, folder: Path) -> None:
    """Get ready for a training, and do not hear signals yet."""
    (folder / "ready").touch()
    time.sleep(600)


def stop_when_ready(folder: Path) -> None:
    while not (folder / "ready").exists():
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_ends_processes_which_do_not_hear_it_yet(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"devices": 2})
    threading.Thread(target=stop_when_ready, args=[tmp_path], daemon=True).start()
    with pytest.raises(StoppedError, match="stopped by SIGTERM; the same command goes on"):
        train_on_devices(prepare_for_ever, settings, tmp_path)


def train_with_a_slow_disk(fabric: Fabric, settings: TrainSettings, folder: Path) -> None:
    """Write the checkpoint of a stop for longer than processes have once one has ended."""

    def save_slowly(*arguments: Any) -> None:
        others = [p for p in psutil.Process().parent().children() if p.pid != os.getpid()]
        ended, _ = psutil.wait_procs(others, timeout=4.0)
        time.sleep(1.5 if ended else 0.0)
        save_checkpoint(*arguments)

    loop.save_checkpoint = save_slowly
    train_plainly(fabric, settings, folder)


def test_the_process_that_writes_the_checkpoint_may_take_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phenopipe.train.processes.GRACE_S", 0.2)
    settings = SETTINGS.model_copy(update={"devices": 2})
    losses = tmp_path / "losses.csv"
    threading.Thread(target=stop_when_under_way, args=[losses], daemon=True).start()
    with pytest.raises(StoppedError, match=r"after step \d+ of 12"):
        train_on_devices(train_with_a_slow_disk, settings, settings, tmp_path)
    assert (tmp_path / "checkpoint.safetensors").is_file()


def test_shares_make_up_the_batch() -> None:
    whole = list(training_batches(SETTINGS, SOURCES, 10))
    shares = [list(training_batches(SETTINGS, SOURCES, 10, (number, 2))) for number in (0, 1)]
    assert len(whole) == len(shares[0]) == len(shares[1]) == 2
    for batch, *parts in zip(whole, *shares, strict=True):
        for name in ("rgb", "labels", "distance"):
            joined = torch.cat([getattr(part, name) for part in parts])
            assert torch.equal(joined, getattr(batch, name))
        assert sum(len(part.pairs) for part in parts) == len(batch.pairs)


@pytest.mark.parametrize(
    ("devices", "batch", "visible", "used"),
    [("auto", 8, 4, 4), ("auto", 8, 3, 2), ("auto", 7, 4, 1), (2, 8, 4, 2), ("auto", 8, 8, 8)],
)
def test_gpus_that_are_used(
    monkeypatch: pytest.MonkeyPatch, caplog, devices, batch: int, visible: int, used: int
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: visible)
    settings = TrainSettings(devices=devices, batch_size=batch)
    assert count_devices(settings, CUDA) == used
    assert ("GPUs are used" in caplog.text) is (devices == "auto" and used < visible)


def test_a_gpu_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ModelError, match=r"train\.devices: is 2, but torch finds 1 GPUs"):
        count_devices(TrainSettings(devices=2), CUDA)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match=r"train\.device: is cuda, but torch finds no GPU"):
        train_on_devices(train_plainly, TrainSettings(device="cuda"))


def test_a_batch_that_cannot_be_shared_out_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ValueError, match="batch_size 8 cannot be shared out evenly to 3 devices"):
        TrainSettings(devices=3, batch_size=8)


def test_one_process_on_the_cpu_unless_more_are_asked_for() -> None:
    assert count_devices(TrainSettings(), CPU) == 1
    assert count_devices(TrainSettings(devices=4), CPU) == 4


@pytest.mark.parametrize(
    ("native", "device", "precision", "dtype"),
    [
        (True, CUDA, "auto", torch.bfloat16),
        (False, CUDA, "auto", torch.float16),
        (True, CPU, "auto", torch.bfloat16),
        (False, CPU, "auto", torch.float32),
        (False, CUDA, "fp32", torch.float32),
        (True, CUDA, "fp16", torch.float16),
        (False, CPU, "bf16", torch.bfloat16),
    ],
)
def test_arithmetic(monkeypatch, native: bool, device, precision: str, dtype) -> None:
    monkeypatch.setattr("phenopipe.model.device._native_bf16", lambda _device: native)
    assert choose_training_dtype(precision, device) == dtype


@pytest.mark.parametrize(
    ("precision", "inner", "scaled"),
    [
        ("fp32", torch.float32, False),
        ("bf16", torch.bfloat16, False),
        ("fp16", torch.float16, True),
    ],
)
def test_the_engine_computes_in_the_arithmetic_asked_for(precision, inner, scaled) -> None:
    settings = SETTINGS.model_copy(update={"precision": precision})
    training = Training.start(WNet("tiny", 4), make_fabric(settings, CPU))
    seen = []
    training.model.distance_head.register_forward_hook(lambda *a: seen.append(a[-1].dtype))
    training.step(0, next(training_batches(settings, SOURCES, 0)), settings)
    assert seen == [inner]
    assert (training.scaler is not None) is scaled
    assert all(weights.dtype == torch.float32 for weights in training.model.parameters())
