"""Settings of the stage `predict`: the network over crops."""

from __future__ import annotations

from typing import Literal

from phenopipe.config.block import Block, setting


class PredictSettings(Block):
    """Run the W-Net over crops, batch by batch."""

    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "auto takes the GPU if there is one; cuda fails where there is none."
    )
    precision: Literal["auto", "bf16", "fp32"] = setting(
        "auto", "Arithmetic: auto takes bf16 where the hardware computes it natively."
    )
    batch_size: int = setting(8, "Crops in one pass of the network.", ge=1, le=4096)
