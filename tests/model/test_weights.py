"""Model files: what is written is read, and what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from phenopipe.errors import ModelError
from phenopipe.model.find import file_sha256, find_weights
from phenopipe.model.weights import copy_weights, load_model, read_header, save_model
from phenopipe.model.wnet import WNet


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "model.safetensors"
    save_model(path, WNet("tiny", 6), {"steps": "12"})
    return path


def test_a_saved_model_predicts_the_same(saved: Path) -> None:
    torch.manual_seed(0)
    images = torch.randint(0, 256, (1, 3, 48, 48)).to(torch.uint8)
    torch.manual_seed(0)
    original = WNet("tiny", 6).eval()
    with torch.inference_mode():
        ours, theirs = original(images), load_model(saved)(images)
    assert read_header(saved)["steps"] == "12"
    torch.testing.assert_close(ours[0], theirs[0], atol=2e-2, rtol=1e-2)  # float16 weights
    assert (ours[1] * theirs[1]).sum(1).min() > 0.999


def test_the_same_model_is_the_same_file(saved: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    again = tmp_path / "again.safetensors"
    save_model(again, WNet("tiny", 6), {"steps": "12"})
    assert file_sha256(saved) == file_sha256(again)


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
def test_a_file_cut_short_is_named(saved: Path, share: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match=r"model\.safetensors: is damaged") as caught:
        load_model(saved)
    assert len(caught.value.problems) == 1


def test_other_safetensors_are_no_model(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match="is no phenopipe model"):
        load_model(path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"preset": None}, "its header's preset is None"),
        ({"preset": "giant"}, "its header's preset is 'giant'"),
        ({"preset": ["tiny"]}, "its header's preset is"),
        ({"embedding_dim": None}, "its header's embedding_dim is None"),
        ({"embedding_dim": "x"}, "its header's embedding_dim is 'x'"),
        ({"embedding_dim": "1"}, "its header's embedding_dim is '1'"),
        ({"embedding_dim": "9" * 9}, "its header's embedding_dim is '999999999'"),
    ],
)
def test_a_header_that_names_no_network(tmp_path: Path, wrong: dict, message: str) -> None:
    path = tmp_path / "odd.safetensors"
    header = {"format": "phenopipe-wnet-1", "preset": "tiny", "embedding_dim": "6"} | wrong
    save_file({"x": torch.zeros(3)}, path, {"phenopipe": json.dumps(header)})
    with pytest.raises(ModelError) as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize("other", [("small", 6), ("tiny", 8)])
def test_another_shape_names_both(saved: Path, other: tuple[str, int]) -> None:
    with pytest.raises(ModelError) as caught:
        copy_weights(WNet(*other), saved)
    message = str(caught.value)
    assert "preset tiny with embedding_dim 6" in message
    assert f"preset {other[0]} with embedding_dim {other[1]}" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named(tmp_path: Path, value: float) -> None:
    model = WNet("tiny", 6)
    with torch.no_grad():
        model.distance_head.bias.fill_(value)
    save_model(tmp_path / "broken.safetensors", model)
    with pytest.raises(ModelError, match=r"broken\.safetensors: .*NaN .*\(distance_head\.bias\)"):
        load_model(tmp_path / "broken.safetensors")


def test_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model"):
        find_weights(str(tmp_path / "none.safetensors"))
    with pytest.raises(ModelError, match="packaged weights"):
        find_weights("nonesuch")


def test_the_packaged_weights_are_those_of_their_card() -> None:
    weights = find_weights("default")
    assert file_sha256(weights) in weights.with_suffix(".md").read_text(encoding="utf-8")
    assert weights.stat().st_size < 10e6
    assert load_model(weights).preset == "small"
