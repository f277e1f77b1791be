"""A rosette: leaves in the order they appear, and how large each is at a given age."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.habit import Habit, draw_habit
from phenopipe.synth.leaf import LeafForm

GOLDEN_ANGLE = np.deg2rad(137.508)
#: Share of leaves folded along the midrib, one half turned away from the camera, and of leaves
#: that stand up, so that they look shorter than they are.
FOLDED_SHARE = 0.15
TILTED_SHARE = 0.25


@dataclass(frozen=True)
class Leaf:
    """A leaf of a rosette, the same at every age.

    Attributes
    ----------
    form : LeafForm
        Its form.
    angle : float
        Direction from the stem, rad.
    birth : float
        Age of the plant at which it appears, in leaves.
    length : float
        Full-grown length, petiole and blade, over the plant's longest.
    """

    form: LeafForm
    angle: float
    birth: float
    length: float


@dataclass(frozen=True)
class GrownLeaf:
    """A leaf at one age of the plant.

    Attributes
    ----------
    index : int
        Which leaf of the rosette, from 0.
    form : LeafForm
        Its present form.
    angle : float
        Direction from the stem, rad.
    length : float
        Present length over the plant's longest.
    maturity : float
        Share of its full length, 0..1.
    """

    index: int
    form: LeafForm
    angle: float
    length: float
    maturity: float


@dataclass(frozen=True)
class Rosette:
    """A plant's leaves, oldest (lowest) first.

    Attributes
    ----------
    leaves : tuple of Leaf
        Leaves in the order they appear; the first two are the cotyledons.
    span : float
        Age, in leaves, that a leaf needs from its appearance to its full length.
    slowness : float
        How long leaves stay small; more crowd the centre.
    """

    leaves: tuple[Leaf, ...]
    span: float
    slowness: float = 1.3

    def at_age(self, age: float) -> list[GrownLeaf]:
        """Return the leaves that have appeared, oldest first.

        Parameters
        ----------
        age : float
            Number of leaves that have appeared, with a fraction on the way to the next.

        Returns
        -------
        list of GrownLeaf
            Angles stay the same at every age; lengths only grow.
        """
        return [
            _at_maturity(index, leaf, _maturity(age - leaf.birth, self.span, self.slowness))
            for index, leaf in enumerate(self.leaves)
            if leaf.birth < age
        ]


def _maturity(since_birth: float, span: float, slowness: float) -> float:
    """Return a leaf's share of its full length: from 0.07 at birth to 1 after `span`."""
    share = min(since_birth / span, 1.0)
    return 0.07 + 0.93 * float(np.sin(0.5 * np.pi * share) ** slowness)


def _at_maturity(index: int, leaf: Leaf, maturity: float) -> GrownLeaf:
    """Grow a leaf: the petiole stretches later than the blade."""
    form = replace(leaf.form, petiole=leaf.form.petiole * (0.1 + 0.9 * maturity))
    return GrownLeaf(index, form, leaf.angle, leaf.length * maturity, maturity)


def grow_rosette(rng: np.random.Generator, leaves: int) -> Rosette:
    """Draw a plant's habit and leaves.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    leaves : int
        Leaves that the plant ever has, at least 1.

    Returns
    -------
    Rosette
        The plant.
    """
    habit = draw_habit(rng)
    turn = rng.choice([-1.0, 1.0])
    start = rng.uniform(0.0, 2.0 * np.pi)
    angles = start + turn * _angles(leaves, in_pairs=habit.in_pairs)
    angles += rng.normal(0.0, habit.jitter, leaves)
    climb = rng.uniform(3.0, 9.0)
    span = rng.uniform(5.0, 12.0)
    first = rng.uniform(0.2, 0.45)
    grown = tuple(
        _draw_leaf(rng, habit, index, float(angles[index]), climb, span, first)
        for index in range(leaves)
    )
    return Rosette(grown, span, rng.uniform(1.0, 1.8))


def _angles(leaves: int, *, in_pairs: bool) -> NDArray[np.float64]:
    """Return directions: cotyledons opposite, the first leaves across, then the golden angle.

    Leaves in pairs stay opposite, each pair across the one before.
    """
    if in_pairs:
        index = np.arange(leaves)
        crossed: NDArray[np.float64] = np.pi * (index % 2) + 0.5 * np.pi * (index // 2)
        return crossed
    spiral: NDArray[np.float64] = 0.5 * np.pi + GOLDEN_ANGLE * np.arange(-2, leaves - 2)
    spiral[: min(2, leaves)] = np.array([0.0, np.pi])[:leaves]
    if leaves > 3:
        spiral[3] = -0.5 * np.pi
    return spiral


def _draw_leaf(
    rng: np.random.Generator,
    habit: Habit,
    index: int,
    angle: float,
    climb: float,
    span: float,
    first: float,
) -> Leaf:
    """Draw leaf number `index`: cotyledons are small and round, later leaves longer."""
    if index < 2:
        size, birth = first * rng.uniform(0.6, 0.85), -0.8 * span
        return Leaf(_cotyledon(rng, habit), angle, birth, size)
    rank = min((index - 2) / climb, 1.0)
    size = first + (1.0 - first) * rank
    birth = float(index) + _apart(index, in_pairs=habit.in_pairs) + rng.uniform(0.0, 0.25)
    return Leaf(_true_leaf(rng, habit, rank), angle, birth, size * rng.uniform(0.85, 1.0))


def _apart(index: int, *, in_pairs: bool) -> float:
    """Return how much later than in an even sequence a leaf appears, so that pairs come together.

    The first two true leaves of a spiral come together too.
    """
    if in_pairs:
        return 0.6 if index % 2 == 0 else 0.0
    return -0.6 if index == 3 else 0.0


def _cotyledon(rng: np.random.Generator, habit: Habit) -> LeafForm:
    return LeafForm(
        petiole=rng.uniform(0.12, 0.5),
        # The deeper the notch the more it is a kidney, broader than long.
        width=rng.uniform(0.8, 1.15) * (1.0 + habit.notch),
        base=rng.uniform(0.4, 0.6),
        tip=rng.uniform(0.35, 0.5),
        stalk=1.3 * habit.stalk,
        bend=rng.normal(0.0, 0.05),
        notch=habit.notch,
    )


def _true_leaf(rng: np.random.Generator, habit: Habit, rank: float) -> LeafForm:
    """Draw a leaf's form; the first leaves of a plant are rounder and longer stalked."""
    young = 1.0 - rank
    folded = rng.random() < FOLDED_SHARE
    width = habit.width * rng.uniform(0.88, 1.12) + 0.2 * young
    if rng.random() < TILTED_SHARE:
        width *= rng.uniform(1.1, 1.45)
    return LeafForm(
        petiole=float(np.clip(habit.petiole + 0.12 * young + rng.normal(0.0, 0.05), 0.05, 0.52)),
        width=float(np.clip(width, 0.35, 1.25)),
        base=float(np.clip(habit.base - 0.2 * young + rng.normal(0.0, 0.06), 0.4, 1.1)),
        tip=float(np.clip(habit.tip + rng.normal(0.0, 0.05), 0.28, 0.7)),
        stalk=habit.stalk * rng.uniform(0.85, 1.2),
        bend=rng.normal(0.0, habit.bend),
        teeth=habit.teeth,
        teeth_depth=habit.teeth_depth * (0.3 + 0.7 * rank) * rng.uniform(0.6, 1.2),
        lobes=habit.lobes,
        lobes_depth=habit.lobes_depth * rank,
        phase=rng.uniform(0.0, 6.0),
        skew=float(np.clip(rng.normal(0.0, 0.35 if folded else 0.06), -0.6, 0.6)),
        wobble=habit.wobble * rng.uniform(0.0, 1.0),
    )
