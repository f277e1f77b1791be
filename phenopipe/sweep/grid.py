"""The grid of settings that a sweep tries."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from phenopipe.config import SegmentSettings, check_block
from phenopipe.errors import InputError

#: Settings of `segment` that are numbers, and so can be an axis.
NUMBERS = tuple(
    name for name, field in SegmentSettings.model_fields.items() if field.annotation in (int, float)
)
#: What is tried if nothing is asked for: what decides most on how many leaves there are.
DEFAULT_AXES = ("seed_threshold=0.2:0.6:5", "merge_angle_deg=20:60:5")
#: More points than this are a mistake rather than a wish.
MOST_POINTS = 2000

Axes = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Grid:
    """All combinations of some settings' values, over settings that stay.

    Attributes
    ----------
    now : SegmentSettings
        The settings as they are.
    axes : mapping
        Values to try, ascending, by the name of the setting; the last one varies fastest.
    """

    now: SegmentSettings
    axes: Axes

    @cached_property
    def places(self) -> list[tuple[int, ...]]:
        """Index along each axis of each point of the grid."""
        return list(itertools.product(*(range(len(values)) for values in self.axes.values())))

    @cached_property
    def points(self) -> list[SegmentSettings]:
        """Settings of each point of the grid; then the settings as they are, if not among them."""
        found = [self._settings(place) for place in self.places]
        return found if self.now in found else [*found, self.now]

    @property
    def now_at(self) -> int:
        """Which of `points` are the settings as they are."""
        return self.points.index(self.now)

    def neighbours(self, point: int) -> list[int]:
        """Return the points of the grid that are one step along one axis away."""
        if point >= len(self.places):
            return []
        own = np.array(self.places[point])
        steps = np.abs(np.array(self.places) - own).sum(axis=1)
        return [int(at) for at in np.flatnonzero(steps == 1)]

    def steps_from_now(self, point: int) -> float:
        """Return how far a point is from the settings as they are, in steps of the grid."""
        settings, steps = self.points[point], 0.0
        for name, values in self.axes.items():
            step = (values[-1] - values[0]) / max(len(values) - 1, 1)
            steps += abs(getattr(settings, name) - getattr(self.now, name)) / (step or 1.0)
        return steps

    def _settings(self, place: tuple[int, ...]) -> SegmentSettings:
        chosen = zip(self.axes.items(), place, strict=True)
        update = {name: values[at] for (name, values), at in chosen}
        return check_block(SegmentSettings, {**self.now.model_dump(), **update}, "grid")


def make_grid(now: SegmentSettings, axes: Sequence[str] = ()) -> Grid:
    """Make a grid from texts as `parse_axis` reads them; without any, `DEFAULT_AXES`.

    Raises
    ------
    ConfigError
        If a value is out of its setting's range.
    InputError
        If an axis cannot be read, is named twice, or there are more than `MOST_POINTS` points.
    """
    read = [parse_axis(text) for text in axes or DEFAULT_AXES]
    names = [name for name, _ in read]
    problems = [
        f"grid: {name} is named twice" for name in sorted({*names}) if names.count(name) > 1
    ]
    count = int(np.prod([len(values) for _, values in read], dtype=np.int64))
    if count > MOST_POINTS:
        problems.append(f"grid: has {count} points, more than {MOST_POINTS}; name fewer values")
    if now.method != "angular":
        problems.append(f"grid: the method {now.method!r} has no thresholds to try")
    if problems:
        raise InputError(*problems)
    grid = Grid(now, dict(read))
    _ = grid.points  # checks every value
    return grid


def parse_axis(text: str) -> tuple[str, tuple[float, ...]]:
    """Read an axis: values, or first, last and how many.

    Examples
    --------
    >>> parse_axis("seed_threshold=0.5,0.3")
    ('seed_threshold', (0.3, 0.5))
    >>> parse_axis("merge_angle_deg=15:55:5")
    ('merge_angle_deg', (15.0, 25.0, 35.0, 45.0, 55.0))

    Raises
    ------
    InputError
        If it cannot be read, or `segment` has no such number.
    """
    name, _, given = text.partition("=")
    if name not in NUMBERS:
        raise InputError(f"grid: {name!r} is no number of segment; those are {', '.join(NUMBERS)}")
    try:
        if ":" in given:
            first, last, count = given.split(":")
            many = min(int(count), MOST_POINTS + 1)  # too many are refused, not held in memory
            numbers = np.linspace(float(first), float(last), many).round(6).tolist()
        else:
            numbers = [float(value) for value in given.split(",")]
    except ValueError as error:
        raise InputError(
            f"grid: {text!r} cannot be read; give {name}=A,B,... or {name}=FIRST:LAST:HOW_MANY"
        ) from error
    values = tuple(sorted(set(numbers)))
    if not values or not np.isfinite(values).all():
        raise InputError(f"grid: {text!r} has no values, or some that are not finite")
    return name, values
