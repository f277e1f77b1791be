"""Losses against slow NumPy references, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from phenopipe.encoding import background_direction
from phenopipe.train.losses import (
    CONTRAST_STRIDE,
    CONTRAST_TEMPERATURE,
    balance_leaves,
    compute_losses,
    contrast_loss,
    distance_loss,
    find_instances,
    inter_loss,
    intra_loss,
)

torch.set_num_threads(1)
NO_PAIRS = torch.zeros(0, 3, dtype=torch.long)


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


def as_tensor(embedding: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(embedding).permute(0, 3, 1, 2).float()


def slow_means(embedding: np.ndarray, labels: np.ndarray, anchored: bool) -> dict:
    """Mean direction of every instance (picture, label) that is there."""
    means = {}
    for n in range(len(labels)):
        for k in np.unique(labels[n]):
            means[n, k] = unit(embedding[n][labels[n] == k].mean(axis=0))
            if k == 0 and anchored:
                means[n, k] = background_direction(embedding.shape[-1])
    return means


def slow_losses(
    embedding: np.ndarray, labels: np.ndarray, pairs: np.ndarray, anchored: bool, balance: str
) -> tuple[float, float]:
    means, errors, weights = slow_means(embedding, labels, anchored), [], []
    for (n, k), mean in means.items():
        vectors = embedding[n][labels[n] == k]
        errors.append(np.mean([1 - mean @ v for v in vectors]))
        weights.append(len(vectors) if balance == "pixels" else np.sqrt(len(vectors)))
    inter = [abs(means[n, a] @ means[n, b]) for n, a, b in pairs]
    for n, k in means:
        if k:
            inter += [abs(means[n, k] @ means[n, 0])] * 2
    return float(np.average(errors, weights=weights)), float(np.mean(inter))


def slow_contrast(
    embedding: np.ndarray, labels: np.ndarray, anchored: bool, offset: tuple[int, int] = (0, 0)
) -> float:
    """Cross-entropy of each pixel's own instance among those of its picture, one by one."""
    means, surprises, weights = slow_means(embedding, labels, anchored), [], []
    pictures, height, width = labels.shape
    for n in range(pictures):
        present = [k for picture, k in means if picture == n]
        for y in range(offset[0], height, CONTRAST_STRIDE):
            for x in range(offset[1], width, CONTRAST_STRIDE):
                own = labels[n, y, x]
                score = {k: np.exp(means[n, k] @ embedding[n, y, x] / 0.1) for k in present}
                surprises.append(-np.log(score[own] / sum(score.values())))
                weights.append(1 / np.sqrt((labels[n] == own).sum()))
    return float(np.average(surprises, weights=weights))


@pytest.mark.parametrize("anchored", [True, False])
@pytest.mark.parametrize("balance", ["pixels", "sqrt"])
def test_losses_equal_the_slow_reference(case, anchored: bool, balance: str) -> None:
    embedding, labels, pairs = case
    found = find_instances(as_tensor(embedding), torch.from_numpy(labels), anchored=anchored)
    slow_intra, slow_inter = slow_losses(embedding, labels, pairs, anchored, balance)
    assert intra_loss(found, balance).item() == pytest.approx(slow_intra, abs=1e-5)
    assert inter_loss(found, torch.from_numpy(pairs)).item() == pytest.approx(slow_inter, abs=1e-5)


def slow_distance(predicted: np.ndarray, target: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared error of each leaf and of the background, put together picture by picture."""
    total = 0.0
    for n in range(len(labels)):
        error = (predicted[n] - 10 * target[n]) ** 2
        leaves = [labels[n] == k for k in np.unique(labels[n]) if k]
        if leaves:
            roots = [np.sqrt(leaf.sum()) for leaf in leaves]
            mean = np.average([error[leaf].mean() for leaf in leaves], weights=roots)
            total += mean * (labels[n] > 0).sum()
        total += error[labels[n] == 0].sum()
    return total / labels.size


def test_leaves_weigh_by_the_square_roots_of_their_pixels(case) -> None:
    labels = np.concatenate([case[1], case[1][:1]])
    labels[2, :2, :3], labels[2, 5:] = 4, 2
    rng = np.random.default_rng(3)
    predicted, target = 10 * rng.random(labels.shape), rng.random(labels.shape)
    instances = torch.from_numpy(labels)
    counts = torch.stack([torch.bincount(n.flatten(), minlength=5) for n in instances]).float()
    weights = balance_leaves(instances, counts)
    loss = distance_loss(torch.from_numpy(predicted), torch.from_numpy(target), weights)
    assert loss.item() == pytest.approx(slow_distance(predicted, target, labels), rel=1e-5)
    assert (weights[instances == 0] == 1).all()
    assert weights[0][instances[0] > 0].mean().item() == pytest.approx(1)
    assert weights[2][instances[2] > 0].mean().item() == pytest.approx(1)


@pytest.mark.parametrize("anchored", [True, False])
@pytest.mark.parametrize("offset", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_contrast_equals_the_slow_reference(case, anchored: bool, offset) -> None:
    embedding, labels, _ = case
    assert CONTRAST_TEMPERATURE == 0.1
    tensor, instances = as_tensor(embedding), torch.from_numpy(labels)
    found = find_instances(tensor, instances, anchored=anchored)
    expected = slow_contrast(embedding, labels, anchored, offset)
    assert contrast_loss(found, tensor, instances, offset).item() == pytest.approx(
        expected, abs=1e-5
    )


def test_all_offsets_together_look_at_every_pixel(case) -> None:
    """Each pixel's vector has a gradient from one of the four, and none from two."""
    embedding, labels, _ = case
    instances = torch.from_numpy(labels)
    found = find_instances(as_tensor(embedding), instances)
    times = np.zeros(labels.shape, int)
    for offset in ((0, 0), (0, 1), (1, 0), (1, 1)):
        tensor = as_tensor(embedding).requires_grad_()
        contrast_loss(found, tensor, instances, offset).backward()
        times += (tensor.grad != 0).any(dim=1).numpy()
    assert (times[0] == 1).all()
    assert (times[1] == 0).all(), "without a leaf there is nothing to tell apart"


@pytest.mark.parametrize("anchored", [True, False])
def test_instances(case, anchored: bool) -> None:
    embedding, labels, _ = case
    found = find_instances(as_tensor(embedding), torch.from_numpy(labels), anchored=anchored)
    means = slow_means(embedding, labels, anchored)
    for n in range(2):
        for k in range(4):
            inside = labels[n] == k
            assert found.counts[n, k].item() == inside.sum()
            total = embedding[n][inside].sum(axis=0)
            np.testing.assert_allclose(found.sums[n, k], total, atol=1e-5)
            expected = means.get((n, k), np.zeros(4))
            np.testing.assert_allclose(found.means[n, k], expected, atol=1e-6)


@pytest.mark.parametrize("anchored", [True, False])
def test_gradients_are_those_of_finite_differences(case, anchored: bool, monkeypatch) -> None:
    embedding, labels, pairs = case
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    tensor = torch.from_numpy(embedding).permute(0, 3, 1, 2).requires_grad_()
    instances, neighbours = torch.from_numpy(labels), torch.from_numpy(pairs)

    def losses(e: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = find_instances(e, instances, anchored=anchored)
        contrast = contrast_loss(found, e, instances, (1, 0))
        return intra_loss(found), intra_loss(found, "sqrt"), inter_loss(found, neighbours), contrast

    assert torch.autograd.gradcheck(losses, tensor, eps=1e-6, atol=1e-4, fast_mode=True)


def test_leaves_of_one_direction_part_by_contrast_alone() -> None:
    """Where two leaves look alike, the paper's loss says nothing; contrast pulls them apart."""
    labels = torch.ones(1, 4, 4, dtype=torch.long)
    labels[:, :, 2:] = 2
    vectors = torch.zeros(1, 4, 4, 4)
    vectors[:, 0], vectors[:, 1] = 1, (labels - 1.5) * 2e-3  # a thousandth apart
    gradients = {}
    for name in ("inter", "contrast"):
        raw = vectors.clone().requires_grad_()
        tensor = torch.nn.functional.normalize(raw, dim=1)
        found = find_instances(tensor, labels)
        if name == "inter":
            inter_loss(found, torch.tensor([[0, 1, 2], [0, 2, 1]])).backward()
        else:
            contrast_loss(found, tensor, labels).backward()
        across = raw.grad[0, 1]  # along the axis in which the leaves differ
        gradients[name] = (across[:, 2:].sum() - across[:, :2].sum()).abs().item()
    assert gradients["inter"] < 0.01
    assert gradients["contrast"] > 3 * gradients["inter"]


def test_perfect_embedding_has_no_loss() -> None:
    labels = torch.zeros(1, 6, 8, dtype=torch.long)
    labels[0, :3, :4], labels[0, :3, 4:] = 1, 2
    back = torch.from_numpy(background_direction(4))
    first = torch.tensor([0.5, -0.5, 0.5, -0.5])
    second = torch.tensor([0.5, 0.5, -0.5, -0.5])
    embedding = torch.stack([back, first, second])[labels].permute(0, 3, 1, 2)
    pairs = torch.tensor([[0, 1, 2], [0, 2, 1]])
    found = find_instances(embedding, labels)
    assert intra_loss(found).item() == pytest.approx(0, abs=1e-6)
    assert inter_loss(found, pairs).item() == pytest.approx(0, abs=1e-6)
    # At right angles the softmax at temperature 0.1 is not quite sure of one among three.
    surprise = np.log(1 + 2 * np.exp(-10))
    assert contrast_loss(found, embedding, labels).item() == pytest.approx(surprise, abs=1e-6)


def test_opposite_neighbours_are_punished_like_equal_ones() -> None:
    labels = torch.ones(1, 2, 2, dtype=torch.long)
    labels[0, 1] = 2
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])[labels].permute(0, 3, 1, 2)
    pairs = torch.tensor([[0, 1, 2], [0, 2, 1]])
    inter = inter_loss(find_instances(vectors, labels, anchored=False), pairs)
    assert inter.item() == pytest.approx(2 / 6, abs=1e-6)  # two pairs of six, background is 0


def test_empty_pots_have_finite_losses_and_nothing_to_tell_apart() -> None:
    embedding = torch.nn.functional.normalize(torch.randn(2, 4, 5, 5), dim=1).requires_grad_()
    labels = torch.zeros(2, 5, 5, dtype=torch.long)
    found = find_instances(embedding, labels)
    assert torch.isfinite(intra_loss(found))
    assert inter_loss(found, NO_PAIRS).item() == 0
    contrast = contrast_loss(found, embedding, labels)
    assert contrast.item() == 0
    contrast.backward()
    assert not embedding.grad.any()


def test_leaves_of_another_picture_of_the_batch_change_nothing(case) -> None:
    """A picture of fewer leaves than another has instances that are not there."""
    embedding, labels, _ = case
    tensor, instances = as_tensor(embedding), torch.from_numpy(labels)
    together = contrast_loss(find_instances(tensor, instances), tensor, instances).item()
    each = [slow_contrast(embedding[n : n + 1], labels[n : n + 1], True) for n in (0, 1)]
    assert each[1] == 0
    seen = labels[:, ::2, ::2]
    counts = [[(labels[n] == k).sum() for k in seen[n].ravel()] for n in (0, 1)]
    weights = [np.sum(1 / np.sqrt(own)) for own in counts]
    assert together == pytest.approx(np.average(each, weights=weights), abs=1e-5)


def test_gradients_are_finite_where_instances_are_absent(case) -> None:
    embedding, labels, pairs = case
    labels = np.where(labels == 2, 7, labels)  # labels 2, 4, 5 and 6 are not there
    tensor = as_tensor(embedding).requires_grad_()
    pairs = np.where(pairs == 2, 7, pairs)
    target = torch.zeros(2, 9, 11)
    parts = compute_losses(
        target, tensor, torch.from_numpy(labels), target, torch.from_numpy(pairs), balance="sqrt"
    )
    (parts.intra + parts.inter + parts.contrast).backward()
    assert torch.isfinite(tensor.grad).all()
    assert tensor.grad.any()


def test_all_parts_are_those_of_their_functions(case) -> None:
    embedding, labels, pairs = case
    tensor, instances = as_tensor(embedding), torch.from_numpy(labels)
    neighbours, predicted = torch.from_numpy(pairs), torch.rand(2, 9, 11)
    target = torch.rand(2, 9, 11)
    parts = compute_losses(
        *(predicted, tensor, instances, target, neighbours),
        anchored=False,
        balance="sqrt",
        distance_balance="sqrt",
        offset=(1, 1),
    )
    slow = slow_losses(embedding, labels, pairs, False, "sqrt")
    slow_leaves = slow_distance(predicted.numpy(), target.numpy(), labels)
    assert parts.distance.item() == pytest.approx(slow_leaves, rel=1e-5)
    assert (parts.intra.item(), parts.inter.item()) == pytest.approx(slow, abs=1e-5)
    contrast = slow_contrast(embedding, labels, False, (1, 1))
    assert parts.contrast.item() == pytest.approx(contrast, abs=1e-5)


def test_bfloat16_is_summed_in_float32() -> None:
    embedding = -torch.nn.functional.normalize(torch.ones(1, 4, 64, 64), dim=1)
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    for tensor in (embedding, embedding.bfloat16()):
        loss = intra_loss(find_instances(tensor, labels))
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(0, abs=1e-5)


def test_contrast_of_bfloat16_is_that_of_the_rounded_vectors(case) -> None:
    """Rounding the vectors moves the loss, computing with them does not."""
    embedding, labels, _ = case
    instances = torch.from_numpy(labels)
    rough = as_tensor(embedding).bfloat16()
    results = []
    for tensor in (rough, rough.float()):
        with torch.autocast("cpu", torch.bfloat16, enabled=False):
            results.append(contrast_loss(find_instances(tensor, instances), tensor, instances))
    assert results[0].dtype == torch.float32
    assert torch.equal(*results)


class Largest(TorchDispatchMode):
    """Count the operations, and the elements of the largest tensor that one of them makes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = self.operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        made = result if isinstance(result, (tuple, list)) else (result,)
        sizes = [item.numel() for item in made if isinstance(item, torch.Tensor)]
        self.elements = max([self.elements, *sizes])
        self.operations += 1
        return result


def work(size: int, leaves: int) -> tuple[Largest, Largest]:
    """Run the paper's losses and contrast over a picture of stripes, watching each."""
    labels = (torch.arange(size) * leaves // size + 1).expand(1, size, size).contiguous()
    embedding = torch.nn.functional.normalize(torch.randn(1, 8, size, size), dim=1)
    pairs = torch.stack([torch.zeros(leaves - 1), *torch.arange(1.0, leaves + 1).unfold(0, 2, 1).T])
    paper, contrast = Largest(), Largest()
    with paper:
        found = find_instances(embedding, labels)
        intra_loss(found)
        inter_loss(found, pairs.T.long())
    with contrast:
        contrast_loss(found, embedding, labels)
    return paper, contrast


def test_memory_is_linear_in_pixels_and_nothing_loops() -> None:
    (small, small_contrast), (large, large_contrast) = work(32, 4), work(128, 30)
    assert large.elements <= 8 * 128**2, "pixels times E, whatever the number of leaves"
    assert large_contrast.elements <= max(31 * 64**2, 8 * 128**2), "a quarter of pixels x leaves"
    assert small.operations == large.operations
    assert small_contrast.operations == large_contrast.operations


def test_distance_is_compared_at_ten_times_the_target() -> None:
    target = torch.tensor([[[0.0, 0.5], [1.0, 0.0]]])
    assert distance_loss(target * 10, target).item() == 0
    assert distance_loss(torch.zeros(1, 2, 2), target).item() == pytest.approx((25 + 100) / 4)
