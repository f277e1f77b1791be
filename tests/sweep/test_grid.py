from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.config import SegmentSettings
from phenopipe.errors import ConfigError, InputError
from phenopipe.sweep.grid import NUMBERS, make_grid, parse_axis

NOW = SegmentSettings()


def test_axes_are_values_or_a_span():
    assert parse_axis("seed_threshold=0.5,0.3,0.5") == ("seed_threshold", (0.3, 0.5))
    assert parse_axis("min_leaf_area_px=10:20:3") == ("min_leaf_area_px", (10.0, 15.0, 20.0))


def test_points_are_all_combinations_and_the_settings_now():
    grid = make_grid(NOW, ["seed_threshold=0.1,0.2", "max_angle_deg=30,40,50"])
    values = [(point.seed_threshold, point.max_angle_deg) for point in grid.points[:-1]]
    assert values == [(a, b) for a in (0.1, 0.2) for b in (30, 40, 50)]
    assert grid.points[-1] == NOW and grid.now_at == 6
    assert grid.neighbours(0) == [1, 3]
    assert grid.neighbours(4) == [1, 3, 5]
    assert grid.neighbours(6) == []
    on_grid = make_grid(NOW, [f"seed_threshold={NOW.seed_threshold},0.9"])
    assert len(on_grid.points) == 2 and on_grid.now_at == 0
    assert on_grid.steps_from_now(1) == pytest.approx(1)


def test_the_default_grid_is_valid():
    grid = make_grid(NOW)
    assert len(grid.places) == len(grid.points) == 25, "the settings now can be kept"


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_neighbours_are_mutual(lengths):
    names = ["seed_threshold", "max_angle_deg", "merge_angle_deg"]
    axes = [
        f"{name}={','.join(str(0.1 * (n + 1)) for n in range(length))}"
        for name, length in zip(names, lengths, strict=False)
    ]
    grid = make_grid(NOW, axes)
    for point in range(len(grid.places)):
        assert all(point in grid.neighbours(other) for other in grid.neighbours(point))
        assert point not in grid.neighbours(point)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (["seeds=1"], "'seeds' is no number of segment; those are seed_smoothing_px"),
        (["method=paper"], "'method' is no number"),
        (["seed_threshold"], "cannot be read; give seed_threshold=A,B,..."),
        (["seed_threshold=a,b"], "cannot be read"),
        (["seed_threshold=0:1"], "cannot be read"),
        (["seed_threshold=nan"], "not finite"),
        (["seed_threshold=0.1:0.9:9", "seed_threshold=0.2"], "seed_threshold is named twice"),
        (["seed_threshold=0.1:0.9:50", "max_angle_deg=1:90:50"], "has 2500 points"),
        (["seed_threshold=0.1:0.9:2000000000"], "has 2001 points, more than 2000"),
    ],
)
def test_mistakes(axes, message):
    with pytest.raises(InputError, match=message):
        make_grid(NOW, axes)


def test_values_out_of_range_are_named():
    with pytest.raises(ConfigError, match=r"grid: seed_threshold: .*less than or equal to 1"):
        make_grid(NOW, ["seed_threshold=0.5,1.5"])


def test_the_paper_has_no_thresholds():
    with pytest.raises(InputError, match="'paper' has no thresholds"):
        make_grid(SegmentSettings(method="paper"))


def test_all_numbers_can_be_axes():
    assert {"seed_threshold", "max_angle_deg", "min_confidence"} <= set(NUMBERS)
    assert "method" not in NUMBERS
