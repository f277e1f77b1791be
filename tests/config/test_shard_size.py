"""How many crops a shard has, by number or by time."""

from __future__ import annotations

import pytest

from phenopipe.config import PlanSettings


@pytest.mark.parametrize(
    ("settings", "crops"),
    [
        ({}, 1000),
        ({"shard_size": 3}, 3),
        ({"shard_minutes": 10}, 12_000),
        ({"shard_minutes": 10, "shard_size": 3}, 12_000),
        ({"shard_minutes": 2, "crops_per_second": 100}, 12_000),
        ({"shard_minutes": 0.1}, 1000),
        ({"shard_minutes": 10, "crops_per_second": 200}, 20_000),
    ],
)
def test_crops_of_a_shard(settings: dict[str, float], crops: int) -> None:
    assert PlanSettings(**settings).crops_per_shard == crops
