"""Losses against slow NumPy references, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from phenopipe.encoding import background_direction
from phenopipe.train.losses import distance_loss, embedding_losses


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture
def case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two pictures: three leaves in one, of which two are neighbours; none in the other."""
    rng = np.random.default_rng(5)
    embedding = unit(rng.normal(size=(2, 9, 11, 4)))
    labels = np.zeros((2, 9, 11), np.int64)
    labels[0, :4, :4], labels[0, :4, 4:8], labels[0, 6:, 6:] = 1, 2, 3
    pairs = np.array([[0, 1, 2], [0, 2, 1]])
    return embedding, labels, pairs


def slow_losses(
    embedding: np.ndarray, labels: np.ndarray, pairs: np.ndarray, anchored: bool, balance: str
) -> tuple[float, float]:
    means, errors, weights = {}, [], []
    for n in range(len(labels)):
        for k in np.unique(labels[n]):
            vectors = embedding[n][labels[n] == k]
            mean = unit(vectors.mean(axis=0))
            if k == 0 and anchored:
                mean = background_direction(embedding.shape[-1])
            means[n, k] = mean
            errors.append(np.mean([1 - mean @ v for v in vectors]))
            weights.append(len(vectors) if balance == "pixels" else np.sqrt(len(vectors)))
    inter = [abs(means[n, a] @ means[n, b]) for n, a, b in pairs]
    for n, k in means:
        if k:
            inter += [abs(means[n, k] @ means[n, 0])] * 2
    return float(np.average(errors, weights=weights)), float(np.mean(inter))


@pytest.mark.parametrize("anchored", [True, False])
@pytest.mark.parametrize("balance", ["pixels", "sqrt"])
def test_losses_equal_the_slow_reference(case, anchored: bool, balance: str) -> None:
    embedding, labels, pairs = case
    tensor = torch.from_numpy(embedding).permute(0, 3, 1, 2).float()
    intra, inter = embedding_losses(
        tensor,
        torch.from_numpy(labels),
        torch.from_numpy(pairs),
        anchored=anchored,
        balance=balance,
    )
    slow_intra, slow_inter = slow_losses(embedding, labels, pairs, anchored, balance)
    assert intra.item() == pytest.approx(slow_intra, abs=1e-5)
    assert inter.item() == pytest.approx(slow_inter, abs=1e-5)


@pytest.mark.parametrize("anchored", [True, False])
def test_gradients_are_those_of_finite_differences(case, anchored: bool, monkeypatch) -> None:
    embedding, labels, pairs = case
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    tensor = torch.from_numpy(embedding).permute(0, 3, 1, 2).requires_grad_()

    def losses(e: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return embedding_losses(
            e, torch.from_numpy(labels), torch.from_numpy(pairs), anchored=anchored
        )

    assert torch.autograd.gradcheck(losses, tensor, eps=1e-6, atol=1e-4)


def test_perfect_embedding_has_no_loss() -> None:
    labels = torch.zeros(1, 6, 8, dtype=torch.long)
    labels[0, :3, :4], labels[0, :3, 4:] = 1, 2
    back = torch.from_numpy(background_direction(4))
    first = torch.tensor([0.5, -0.5, 0.5, -0.5])
    second = torch.tensor([0.5, 0.5, -0.5, -0.5])
    embedding = torch.stack([back, first, second])[labels].permute(0, 3, 1, 2)
    pairs = torch.tensor([[0, 1, 2], [0, 2, 1]])
    intra, inter = embedding_losses(embedding, labels, pairs)
    assert intra.item() == pytest.approx(0, abs=1e-6)
    assert inter.item() == pytest.approx(0, abs=1e-6)


def test_opposite_neighbours_are_punished_like_equal_ones() -> None:
    labels = torch.ones(1, 2, 2, dtype=torch.long)
    labels[0, 1] = 2
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])[labels].permute(0, 3, 1, 2)
    pairs = torch.tensor([[0, 1, 2], [0, 2, 1]])
    _, inter = embedding_losses(vectors, labels, pairs, anchored=False)
    assert inter.item() == pytest.approx(2 / 6, abs=1e-6)  # two pairs of six, background is 0


def test_empty_pots_have_finite_losses() -> None:
    embedding = torch.nn.functional.normalize(torch.randn(2, 4, 5, 5), dim=1)
    labels = torch.zeros(2, 5, 5, dtype=torch.long)
    intra, inter = embedding_losses(embedding, labels, torch.zeros(0, 3, dtype=torch.long))
    assert torch.isfinite(intra)
    assert inter.item() == 0


def test_bfloat16_is_summed_in_float32() -> None:
    embedding = torch.nn.functional.normalize(torch.ones(1, 4, 64, 64), dim=1)
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    none = torch.zeros(0, 3, dtype=torch.long)
    exact, _ = embedding_losses(-embedding, labels, none)
    rough, _ = embedding_losses(-embedding.bfloat16(), labels, none)
    assert exact.item() == pytest.approx(0, abs=1e-5)
    assert rough.item() == pytest.approx(0, abs=1e-5)


def test_distance_is_compared_at_ten_times_the_target() -> None:
    target = torch.tensor([[[0.0, 0.5], [1.0, 0.0]]])
    assert distance_loss(target * 10, target).item() == 0
    assert distance_loss(torch.zeros(1, 2, 2), target).item() == pytest.approx((25 + 100) / 4)
