"""The optimisers: AdamW, and Muon, which turns the weights of convolutions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, overload

import torch
from torch import Tensor, nn

from phenopipe.model.device import choose_dtype

#: Weight decay of both optimisers.
WEIGHT_DECAY = 1e-4
#: Share of the past in the mean gradient of Muon.
MOMENTUM = 0.95
#: Root mean square of a step of Muon, in learning rates: that of AdamW's, so that rates are alike.
STEP_RMS = 0.2
#: Odd polynomial whose iterates draw singular values in 0..1 towards 1, and how many iterates.
COEFFICIENTS, ITERATIONS = (3.4445, -4.7750, 2.0315), 5


class Muon(torch.optim.AdamW):
    """Steps of convolutions are orthogonal matrices; all other parameters have those of AdamW.

    The mean gradient of a convolution, as a matrix of its outputs and of all that goes into one,
    is replaced by the nearest matrix whose singular values are all alike: directions of which
    gradients seldom speak are learned as fast as the others.

    Parameters
    ----------
    parameters : iterable of Parameter
        What to learn. Those of four axes are convolutions.
    weight_decay : float
        Decoupled weight decay, per learning rate.

    Notes
    -----
    With G the gradient, m <- 0.95 m + 0.05 G is the mean and U = 0.05 G + 0.95 m what is made
    orthogonal. A step is 0.2 sqrt(max(rows, columns)) of that, per learning rate, which gives it
    the size of AdamW's steps.

    References
    ----------
    K. Jordan et al.: Muon: An optimizer for hidden layers in neural networks. 2024. The size of
    steps: J. Liu et al.: Muon is Scalable for LLM Training. arXiv 2502.16982, 2025.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        super().__init__(parameters, weight_decay=weight_decay)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Do one step; `closure` computes the loss anew, as of every optimiser of torch."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and parameter.ndim == 4:
                    self._turn(parameter, group["lr"], group["weight_decay"])
                    parameter.grad = None  # what has no gradient AdamW leaves alone
        super().step()
        return loss

    @torch.no_grad()
    def _turn(self, kernel: nn.Parameter, rate: float, decay: float) -> None:
        gradient, state = kernel.grad, self.state[kernel]
        assert gradient is not None
        if not state:
            # AdamW looks for a step in every state that it reads back.
            state |= {"step": torch.tensor(0.0), "exp_avg": torch.zeros_like(kernel)}
        state["step"] += 1
        mean = state["exp_avg"].lerp_(gradient, 1 - MOMENTUM)
        update = orthogonalise(gradient.lerp(mean, MOMENTUM).flatten(1))
        size = STEP_RMS * max(update.shape) ** 0.5
        kernel.mul_(1 - rate * decay).add_(update.view(kernel.shape), alpha=-rate * size)


def orthogonalise(matrix: Tensor) -> Tensor:
    """Bring the singular values of a matrix near 1 (0.7 to 1.2), whatever they were.

    Parameters
    ----------
    matrix : Tensor, (M, N)
        Any matrix. Singular values below about a thousandth of its norm end lower.

    Returns
    -------
    Tensor, (M, N)
        With the same singular vectors, in the matrix's own type; zeros of zeros.

    Notes
    -----
    Newton-Schulz iterations by a polynomial of degree five, as Jordan et al. have it: in bfloat16,
    which is exact enough, where the hardware computes it.
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(choose_dtype("auto", matrix.device))
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    turned: Tensor = x.T if tall else x
    return turned.to(matrix.dtype)


def make_optimiser(
    kind: Literal["adamw", "muon"], parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """Make an optimiser by name; its learning rate is set at every step."""
    if kind == "muon":
        return Muon(parameters, WEIGHT_DECAY)
    return torch.optim.AdamW(parameters, weight_decay=WEIGHT_DECAY)
