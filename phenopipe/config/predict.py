"""Settings of the stage `predict`: the network over crops."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phenopipe.config.block import Block, setting


class PredictSettings(Block):
    """Run the W-Net over crops, batch by batch."""

    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "auto takes the GPU if there is one; cuda fails where there is none."
    )
    precision: Literal["auto", "bf16", "fp32"] = setting(
        "auto", "Arithmetic: auto takes bf16 where the hardware computes it natively."
    )
    looks: Literal[1, 2] = setting(
        2,
        "1: the network sees the whole crop; 2: it looks again at a window around what grows "
        "there, so that seedlings are seen enlarged.",
    )
    network_size: int | None = setting(
        256,
        "Side of what the network sees and predicts; null keeps the crop's.",
        unit="px",
        ge=32,
        le=4096,
        multiple_of=16,
    )
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = setting(
        "auto",
        "Crops in one pass of the network; auto: 4 on each core of a CPU, on a GPU what probing "
        "finds fastest. It is halved where memory does not suffice.",
    )
    devices: Literal["auto"] | Annotated[int, Field(ge=1, le=64)] = setting(
        "auto", "GPUs of the machine that share a shard's batches; auto takes all that torch finds."
    )
    compile: bool = setting(
        False,
        "Let torch compile the network for its device: a minute at the start of each job, worth "
        "it for large shards on a GPU; where that fails, the job goes on without.",
    )
