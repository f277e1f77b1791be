"""Shape, invariants and folding of the network."""

from __future__ import annotations

import pytest
import torch

from phenopipe.errors import ModelError
from phenopipe.model.presets import PRESETS, get_preset
from phenopipe.model.wnet import WNet, standardise

torch.set_num_threads(1)


def pictures(count: int = 2, height: int = 64, width: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator).to(torch.uint8)


def test_paper_has_the_papers_parameters() -> None:
    model = WNet("paper")
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(15.5e6, rel=0.01)
    assert sum(p.numel() for p in model.distance_unet.parameters()) == pytest.approx(
        7.8e6, rel=0.01
    )


@pytest.mark.parametrize("preset", ["tiny", "small"])
@pytest.mark.parametrize("size", [(64, 64), (50, 71), (16, 16), (1, 1)])
def test_any_size_gives_unit_vectors_of_that_size(preset: str, size: tuple[int, int]) -> None:
    with torch.inference_mode():
        distance, embedding = WNet(preset, 5).eval()(pictures(2, *size))
    assert distance.shape == (2, *size)
    assert embedding.shape == (2, 5, *size)
    assert (distance >= 0).all()
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2, *size))


@pytest.mark.parametrize("stop", [True, False])
@pytest.mark.parametrize("size", [(64, 64), (50, 71), (3, 5)])
def test_the_distance_alone_is_that_of_both(size: tuple[int, int], stop: bool) -> None:
    torch.manual_seed(0)
    model = WNet("tiny", stop_gradient=stop).eval()
    with torch.inference_mode():
        both, _ = model(pictures(2, *size))
        alone = model.distance(pictures(2, *size))
    assert both.any()
    torch.testing.assert_close(alone, both, atol=0, rtol=0)


@pytest.mark.parametrize("preset", PRESETS)
def test_folding_changes_nothing_but_the_normalisations(preset: str) -> None:
    torch.manual_seed(0)
    model = WNet(preset)
    for module in model.modules():  # as if trained: statistics that are not the defaults
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    images = pictures()
    with torch.inference_mode():
        before = model.eval()(images)
        after = model.fold()(images)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules())
    for ours, theirs in zip(before, after, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_distance_features_reach_the_second_unet() -> None:
    """Without the connection, nothing of the first U-Net changes the embedding."""
    images = pictures()
    for connected in (True, False):
        torch.manual_seed(1)
        model = WNet("tiny", use_distance_features=connected).eval()
        with torch.inference_mode():
            _, before = model(images)
            model.distance_features.weight.mul_(-1)
            model.distance_features.bias.add_(1)
            _, after = model(images)
        assert torch.equal(before, after) is not connected


@pytest.mark.parametrize("stop", [True, False])
def test_stop_gradient_keeps_embedding_losses_from_the_first_unet(stop: bool) -> None:
    model = WNet("tiny", stop_gradient=stop)
    _, embedding = model(pictures())
    embedding[:, 0].sum().backward()
    first = [p.grad for p in model.distance_unet.parameters()]
    assert all(g is None or not g.any() for g in first) is stop


def test_the_answer_does_not_depend_on_brightness_or_neighbours_in_the_batch() -> None:
    model = WNet("tiny").eval()
    images = pictures(3) // 2
    with torch.inference_mode():
        together = model(images)[1]
        alone = model(images[1:2])[1]
        brighter = model(images + 60)[1]
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together, brighter, atol=1e-4, rtol=1e-3)


def test_standardise() -> None:
    image = standardise(pictures())
    torch.testing.assert_close(image.mean((1, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(image.std((1, 2, 3), correction=0), torch.ones(2))
    flat = torch.full((1, 3, 8, 8), 90.0)
    flat[0, 0, 0, 0] = 91
    assert standardise(flat).abs().max() < 0.3


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match="'huge'; there are paper, medium, small, tiny"):
        get_preset("huge")
