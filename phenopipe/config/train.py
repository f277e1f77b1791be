"""Settings of the stage `train`, and of the models that it makes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from phenopipe.config.block import Block, setting
from phenopipe.config.data import DataSettings
from phenopipe.config.synth import PlantSettings

Preset = Literal["paper", "medium", "small", "tiny"]

#: Settings of a training that say where and how it runs, and not what is learned.
RUN_ONLY = frozenset({"workers", "device", "devices", "checkpoint_minutes"})
#: Share of a training's steps over which its pictures grow.
GROWTH_SHARE = 0.6


class LossSettings(Block):
    """Weights and options of the losses: the three of Wu et al. 2020, and contrast."""

    distance: float = setting(1.0, "Weight of the distance regression L_dist.", ge=0)
    intra: float = setting(1.0, "Weight of L_intra: pixels of a leaf point one way.", ge=0)
    inter: float = setting(1.0, "Weight of L_inter: neighbours stand at right angles.", ge=0)
    contrast: float = setting(
        1.0,
        "Weight of the contrast of each pixel's own leaf to all others; 0 is the paper's.",
        ge=0,
    )
    background: Literal["anchored", "instance"] = setting(
        "anchored",
        "anchored: the background has one fixed direction, so that pixels can be told to be "
        "background by their embedding; instance: it is an instance like a leaf (the paper's).",
    )
    constraint: Literal["local", "global"] = setting(
        "local", "Which leaves are pushed apart: neighbours (the paper's) or all of an image."
    )
    neighbour_radius: float = setting(
        0.02, "Leaves closer than this are neighbours.", unit="image widths", gt=0, le=0.5
    )
    balance: Literal["pixels", "sqrt"] = setting(
        "sqrt",
        "Weight of an instance in L_intra: its pixels (the paper's mean over pixels) or their "
        "square root, so that small leaves count beside the background.",
    )
    distance_balance: Literal["pixels", "sqrt"] = setting(
        "pixels",
        "Weight of a leaf among its picture's in L_dist: its pixels (the paper's mean over pixels) "
        "or their square root, so that small leaves get seeds too.",
    )
    stop_gradient: bool = setting(False, "Whether the embedding losses leave U-Net 1 alone.")


class TrainSettings(Block):
    """What a model learns from, how, and when it may replace its predecessor."""

    preset: Preset = setting(
        "small",
        "Size of the network (docs/network.md), by cost: tiny, small, medium, paper.",
    )
    embedding_dim: int = setting(8, "Dimensions E of the embedding.", ge=2, le=64)
    image_size: int = setting(
        256, "Side of the training pictures.", unit="px", ge=64, le=1024, multiple_of=16
    )
    first_image_size: int | None = setting(
        None,
        "Side of the first pictures; it grows to image_size over the first 60 % of the steps, "
        "since small pictures teach most of it in a fraction of the time. Null: no growth.",
        unit="px",
        ge=64,
        le=1024,
        multiple_of=16,
    )
    seed: int = setting(0, "Seed of weights, pictures and their order.", ge=0)
    steps: int = setting(4000, "Optimiser steps.", ge=1)
    batch_size: int = setting(8, "Pictures in a step.", ge=1)
    optimiser: Literal["adamw", "muon"] = setting(
        "adamw",
        "What changes the weights: adamw, or muon, which needs fewer steps (docs/training.md).",
    )
    learning_rate: float = setting(1e-3, "Peak learning rate.", gt=0)
    warmup_steps: int = setting(100, "Steps over which the learning rate rises from 0.", ge=0)
    losses: LossSettings = setting(LossSettings, "Losses.")
    data: list[DataSettings] = setting(
        lambda: [DataSettings(kind="synthetic")],
        "What to learn from: drawn plants, and labelled pictures of your own (docs/training.md).",
        min_length=1,
    )
    plants: PlantSettings = setting(PlantSettings, "The synthetic plants to learn from.")
    workers: int = setting(1, "Processes that draw pictures while the network learns.", ge=0)
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "Where the network learns; cuda fails where there is no GPU instead of being slow."
    )
    devices: Literal["auto"] | Annotated[int, Field(ge=1, le=64)] = setting(
        "auto",
        "GPUs of the machine that share each batch, or processes on the CPU; auto: all GPUs that "
        "torch finds and batch_size can be shared out to, one process on the CPU.",
    )
    precision: Literal["auto", "bf16", "fp16", "fp32"] = setting(
        "auto",
        "Arithmetic; auto: bfloat16 where the hardware computes it, else float16 with scaled "
        "losses on a GPU and float32 on a CPU.",
    )
    checkpoint_minutes: float = setting(
        5.0, "A training that was stopped goes on from the last checkpoint.", unit="min", gt=0
    )
    validation_images: int = setting(
        40, "Synthetic pictures, never trained on, that score the model.", ge=1
    )
    gate_margin: float = setting(
        0.005,
        "A new model passes if its mean SBD on the validation pictures is at most this much lower "
        "than its predecessor's.",
        ge=0,
    )

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if (self.first_image_size or self.image_size) > self.image_size:
            raise ValueError("first_image_size is above image_size")
        return self

    @model_validator(mode="after")
    def _shares_batches(self) -> Self:
        if self.devices != "auto" and self.batch_size % self.devices:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be shared out evenly to "
                f"{self.devices} devices"
            )
        return self

    def image_size_at(self, step: int) -> int:
        """Return the side of the pictures of a step, px: a multiple of 16."""
        first = self.first_image_size or self.image_size
        grown = min(step / (GROWTH_SHARE * self.steps), 1.0)
        return first + int((self.image_size - first) * grown) // 16 * 16


class ModelSettings(Block):
    """One model by name: weights as they are, or trained from them or from nothing."""

    weights: str | None = setting(
        "default",
        "A .safetensors file, or 'default' for the weights that come with phenopipe; with train: "
        "where training starts, null from random weights.",
    )
    train: TrainSettings | None = setting(None, "Train this model; null uses weights as they are.")

    @model_validator(mode="after")
    def _weights_or_training(self) -> Self:
        if self.weights is None and self.train is None:
            raise ValueError("give weights, or train, or both")
        return self
