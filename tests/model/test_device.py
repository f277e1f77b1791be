"""Where the network runs: a GPU that was given and not found is never missed in silence."""

from __future__ import annotations

import logging

import pytest
import torch

from phenopipe.errors import ModelError
from phenopipe.model.device import choose_device


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("given", ["0", "1", "0,1", "GPU-3f2a"])
@pytest.mark.usefixtures("no_gpu")
def test_auto_warns_of_a_gpu_that_is_not_found(given: str, monkeypatch, caplog) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert choose_device("auto", "train.device").type == "cpu"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("train.device: is auto and takes the slow CPU")
    assert f"CUDA_VISIBLE_DEVICES={given}" in record.getMessage()


@pytest.mark.parametrize(("name", "given"), [("auto", ""), ("auto", "-1"), ("cpu", "0")])
@pytest.mark.usefixtures("no_gpu")
def test_no_warning_where_none_was_given_or_wanted(
    name: str, given: str, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert choose_device(name).type == "cpu"
    assert not caplog.records


@pytest.mark.usefixtures("no_gpu")
def test_cuda_stops() -> None:
    with pytest.raises(ModelError, match=r"predict\.device: is cuda, but torch finds no GPU here"):
        choose_device("cuda")
