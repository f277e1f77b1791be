"""One training: the network, its average, and what a step does to them."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Literal, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from phenopipe.config import TrainSettings
from phenopipe.errors import DivergedError, ModelError
from phenopipe.model.device import choose_device
from phenopipe.model.wnet import WNet
from phenopipe.train.data import Batch
from phenopipe.train.engine import make_fabric
from phenopipe.train.loss_log import PARTS, StepLosses
from phenopipe.train.losses import Losses, compute_losses
from phenopipe.train.optimiser import make_optimiser

#: Norm to which gradients are clipped.
GRADIENT_NORM = 5.0
#: The averaged weights look back over about this many steps once training is long enough.
AVERAGED_STEPS = 500
#: Float16 gradients that overflow are expected while losses are scaled by more than this.
SMALLEST_SCALE = 1.0


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Return the learning rate of a step: linear warm-up, then a cosine down to 1 %."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


@dataclass
class Training:
    """A training in progress; with several devices, one in the process of each, all alike.

    Attributes
    ----------
    model : WNet
        The network that learns.
    averaged : WNet
        Exponential moving average of its weights: what is evaluated and kept.
    optimiser : torch.optim.Optimizer
        What changes the weights (`phenopipe.train.optimiser`).
    fabric : Fabric
        The engine: devices, arithmetic, and averaging of gradients over devices.
    network
        `model` as the engine runs it.
    """

    model: WNet
    averaged: WNet
    optimiser: torch.optim.Optimizer
    fabric: Fabric
    network: nn.Module

    @classmethod
    def start(
        cls,
        model: WNet,
        fabric: Fabric | None = None,
        optimiser: Literal["adamw", "muon"] = "adamw",
    ) -> Training:
        """Make a network ready to learn.

        Parameters
        ----------
        model : WNet
            The network.
        fabric : Fabric, optional
            The engine; left out, the best device that is there.
        optimiser : {"adamw", "muon"}
            Name of the optimiser.

        Notes
        -----
        Batch normalisation on several GPUs is over the whole batch. Torch has no such thing for
        the CPU, where each process normalises its share by itself.
        """
        fabric = fabric or make_fabric(TrainSettings(), choose_device("auto", "train.device"))
        model = model.to(fabric.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        averaged = copy.deepcopy(model).eval().requires_grad_(False)
        if fabric.world_size > 1 and fabric.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        steps = make_optimiser(optimiser, model.parameters())
        network = fabric.setup_module(model.train(), move_to_device=False)
        return cls(model, averaged, steps, fabric, network)

    @property
    def scaler(self) -> torch.amp.GradScaler | None:
        """What scales losses for float16, if the training is in float16."""
        return getattr(self.fabric.strategy.precision, "scaler", None)

    @property
    def share(self) -> tuple[int, int]:
        """Number of this process, and of all processes that share a batch."""
        return self.fabric.global_rank, self.fabric.world_size

    def step(self, number: int, batch: Batch, settings: TrainSettings) -> StepLosses:
        """Do one optimiser step.

        With several devices each has its share of the batch, and the gradient is the mean of
        those of the shares' losses. That is the gradient of the whole batch's loss for
        L_dist, a mean over equally many pixels; the other losses are weighted means of which
        each share has its own sum of weights, so theirs is close to the whole batch's.

        Parameters
        ----------
        number : int
            Number of the step, from 0.
        batch : Batch
            Of several devices, this one's share.
        settings : TrainSettings
            Everything about the training.

        Raises
        ------
        DivergedError
            If loss or gradient is no finite number; the weights stay as they were.
        ModelError
            If the batch does not fit into the device's memory.
        """
        try:
            return self._step(number, batch, settings)
        except torch.OutOfMemoryError as error:
            count, _, height, width = batch.rgb.shape
            raise ModelError(
                f"train.batch_size: {count} pictures of {width}x{height} px do not fit into the "
                f"memory of {self.fabric.device}; lower batch_size or image_size, or share the "
                "batch out to more GPUs (devices)"
            ) from error

    def any_device(self, asked: bool) -> bool:
        """Return whether any of the devices' processes says so, alike in all of them."""
        said = torch.tensor(float(asked), device=self.fabric.device)
        return self._mean_over_devices(said).item() > 0

    def _step(self, number: int, batch: Batch, settings: TrainSettings) -> StepLosses:
        rank, _ = self.share
        torch.manual_seed((settings.seed * 1_000_003 + number + (rank << 48)) % 2**63)  # dropout
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(number, settings)
        parts = self._losses(number, batch, settings)
        weighted = [getattr(settings.losses, name) * getattr(parts, name) for name in PARTS]
        loss = torch.stack(weighted).sum()
        self.optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        norm = self.fabric.strategy.clip_gradients_norm(
            self.model, self.optimiser, max_norm=GRADIENT_NORM, error_if_nonfinite=False
        )
        result = self._mean(loss, parts, norm)
        self._check(number, result)
        self.fabric.strategy.optimizer_step(self.optimiser)
        self._average(number)
        return result

    def _losses(self, number: int, batch: Batch, settings: TrainSettings) -> Losses:
        device = self.fabric.device
        distance, embedding = self.network(batch.rgb.to(device))
        return compute_losses(
            distance,
            embedding,
            batch.labels.to(device),
            batch.distance.to(device),
            batch.pairs.to(device),
            anchored=settings.losses.background == "anchored",
            balance=settings.losses.balance,
            distance_balance=settings.losses.distance_balance,
            contrast=settings.losses.contrast > 0,
            offset=(number // 2 % 2, number % 2),
        )

    def _mean(self, loss: Tensor, parts: Losses, norm: Tensor) -> StepLosses:
        """Bring the step's figures from the device, as means over all devices."""
        figures = [loss, *(getattr(parts, name) for name in PARTS), norm]
        values = torch.stack([figure.detach().float() for figure in figures])
        return StepLosses(*self._mean_over_devices(values).tolist())

    def _mean_over_devices(self, values: Tensor) -> Tensor:
        if self.fabric.world_size == 1:
            return values
        return cast(Tensor, self.fabric.all_reduce(values, reduce_op="mean"))

    def _check(self, number: int, result: StepLosses) -> None:
        finite = math.isfinite(result.gradient_norm) or self._skips_overflows()
        if math.isfinite(result.loss) and finite:
            return
        each = ", ".join(f"{name} {getattr(result, name):.4g}" for name in PARTS)
        raise DivergedError(
            f"diverged at step {number}: the loss is {result.loss:.4g} ({each}) and the norm of "
            f"its gradient {result.gradient_norm:.4g}"
        )

    def _skips_overflows(self) -> bool:
        """Return whether a gradient may overflow: the step is then skipped and the scale halved."""
        return self.scaler is not None and self.scaler.get_scale() > SMALLEST_SCALE

    @torch.no_grad()
    def _average(self, number: int) -> None:
        """Move the averaged weights; the average starts short, or it would hold the first steps."""
        share = max(1 / AVERAGED_STEPS, 5 / (number + 5))
        fresh = self.model.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(fresh[name], share)
            else:
                value.copy_(fresh[name])
