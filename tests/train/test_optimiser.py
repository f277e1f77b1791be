"""The optimisers, against torch's own and a singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from phenopipe.train.optimiser import Muon, make_optimiser, orthogonalise

RATE, DECAY = 0.02, 0.1


def gradients(shape: tuple[int, ...], steps: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for _ in range(steps)]


def walk(optimiser: torch.optim.Optimizer, parameter: nn.Parameter, steps: list[Tensor]) -> None:
    for group in optimiser.param_groups:
        group["lr"] = RATE
    for gradient in steps:
        parameter.grad = gradient.clone()
        optimiser.step()


@given(
    rows=st.integers(1, 24),
    columns=st.integers(1, 24),
    scale=st.floats(1e-3, 1e3),
    seed=st.integers(0, 2**32 - 1),
)
def test_singular_values_become_alike_and_vectors_stay(
    rows: int, columns: int, scale: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    rank = min(rows, columns)
    left = np.linalg.qr(generator.normal(size=(rows, rank)))[0]
    right = np.linalg.qr(generator.normal(size=(columns, rank)))[0]
    values = scale * generator.uniform(0.2, 1, rank)
    matrix = torch.from_numpy((left * values) @ right.T).float()
    core = left.T @ orthogonalise(matrix).double().numpy() @ right
    assert np.all((np.diag(core) > 0.6) & (np.diag(core) < 1.3))
    assert np.abs(core - np.diag(np.diag(core))).max() < 0.1


def test_nothing_is_learned_from_gradients_of_zero() -> None:
    assert not orthogonalise(torch.zeros(3, 5)).any()


@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (32, 2, 1, 1)])
def test_convolutions_go_as_in_torch_on_matrices(shape: tuple[int, ...]) -> None:
    start = gradients(shape, 1)[0]
    kernel = nn.Parameter(start.clone().to(memory_format=torch.channels_last))
    matrix = nn.Parameter(start.flatten(1).clone())
    steps = gradients(shape, 5)
    walk(Muon([kernel], DECAY), kernel, steps)
    reference = torch.optim.Muon([matrix], weight_decay=DECAY, adjust_lr_fn="match_rms_adamw")
    walk(reference, matrix, [gradient.flatten(1) for gradient in steps])
    moved = (kernel.detach() - start).flatten(1)
    expected = matrix.detach() - start.flatten(1)
    # bfloat16 in another order of operations
    assert torch.allclose(moved, expected, atol=0.02 * float(expected.abs().max()))
    assert torch.dot(moved.flatten(), expected.flatten()) > 0.999 * moved.norm() * expected.norm()


def test_everything_else_goes_as_in_adamw() -> None:
    start = gradients((7,), 1)[0]
    one, other = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    kernel = nn.Parameter(torch.ones(2, 2, 3, 3))
    kernel.grad = torch.ones_like(kernel)
    walk(Muon([one, kernel], DECAY), one, gradients((7,), 4))
    walk(torch.optim.AdamW([other], weight_decay=DECAY), other, gradients((7,), 4))
    assert torch.equal(one, other)


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_parameters_without_a_gradient_stay(kind: str) -> None:
    kernel, bias = nn.Parameter(torch.ones(2, 2, 3, 3)), nn.Parameter(torch.ones(2))
    bias.grad = torch.ones(2)
    make_optimiser(kind, [kernel, bias]).step()
    assert torch.equal(kernel, torch.ones(2, 2, 3, 3))
    assert not torch.equal(bias, torch.ones(2))


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_a_closure_is_called_once_and_its_loss_returned(kind: str) -> None:
    kernel, called = nn.Parameter(torch.ones(1, 1, 3, 3)), []

    def closure() -> float:
        called.append(True)
        loss = kernel.square().sum()
        loss.backward()
        return float(loss)

    assert make_optimiser(kind, [kernel]).step(closure) == 9
    assert called == [True]
    assert not torch.equal(kernel, torch.ones(1, 1, 3, 3))
