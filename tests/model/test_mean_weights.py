"""The mean of several models' weights, as the packaged ones are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

from phenopipe.errors import ModelError
from phenopipe.model.weights import load_model, save_model
from phenopipe.model.wnet import WNet

SCRIPT = Path(__file__).resolve().parents[2] / "config/examples/mean_weights.py"


@pytest.fixture
def mean_weights():
    spec = importlib.util.spec_from_file_location("mean_weights", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_mean


def saved(path: Path, seed: int, preset: str = "tiny", **options: bool) -> Path:
    torch.manual_seed(seed)
    save_model(path, WNet(preset, 4, **options), {"steps": str(seed), "phenopipe_version": "0"})
    return path


@pytest.mark.parametrize("features", [True, False])
def test_weights_are_means(tmp_path: Path, mean_weights, features: bool) -> None:
    options = {"use_distance_features": features}
    models = [saved(tmp_path / f"{n}.safetensors", n, **options) for n in range(3)]
    mean_weights(tmp_path / "mean.safetensors", models)
    found = load_model(tmp_path / "mean.safetensors").state_dict()
    states = [load_model(path).state_dict() for path in models]
    for name, value in found.items():
        expected = sum(state[name].double() for state in states) / 3
        torch.testing.assert_close(value.double(), expected, atol=1e-3, rtol=1e-3)


def test_models_of_another_shape_are_refused(tmp_path: Path, mean_weights) -> None:
    models = [saved(tmp_path / f"{p}.safetensors", 0, p) for p in ("tiny", "small")]
    with pytest.raises(ModelError, match=r"small\.safetensors: holds preset small"):
        mean_weights(tmp_path / "mean.safetensors", models)
    assert not (tmp_path / "mean.safetensors").exists()
