"""A training so small that a test can afford it."""

from __future__ import annotations

from phenopipe.config import TrainSettings

SETTINGS = TrainSettings(
    preset="tiny",
    embedding_dim=4,
    image_size=64,
    steps=6,
    batch_size=2,
    warmup_steps=2,
    workers=0,
    validation_images=2,
)
