"""What the leaves of one plant have in common: ranges that cover the species of growth rooms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Habit:
    """A plant's kind of leaf; shares are those of `LeafForm`.

    Attributes
    ----------
    petiole, width, base, tip, stalk : float
        Of its grown leaves, on average.
    bend : float
        Deviation of the midribs' bend.
    teeth, teeth_depth, lobes, lobes_depth : float
        Margin of its grown leaves; lobes are counted on either side.
    notch : float
        Notch of its cotyledons.
    wobble : float
        Greatest unevenness of a margin.
    jitter : float
        Deviation of the leaves' directions, rad.
    in_pairs : bool
        Whether leaves stand in crossed pairs rather than on a spiral.
    """

    petiole: float
    width: float
    base: float
    tip: float
    stalk: float
    bend: float
    jitter: float
    teeth: float = 6.0
    teeth_depth: float = 0.0
    lobes: float = 3.5
    lobes_depth: float = 0.0
    notch: float = 0.0
    wobble: float = 0.0
    in_pairs: bool = False


def _spoon(rng: np.random.Generator) -> Habit:
    """Draw a spoon on a long petiole, as in Arabidopsis."""
    return Habit(
        petiole=rng.uniform(0.3, 0.52),
        width=rng.uniform(0.48, 0.82),
        base=rng.uniform(0.6, 1.05),
        tip=rng.uniform(0.32, 0.55),
        stalk=rng.uniform(0.025, 0.05),
        bend=rng.uniform(0.02, 0.1),
        jitter=rng.uniform(0.04, 0.25),
        teeth=rng.uniform(3.0, 8.0),
        teeth_depth=rng.uniform(0.0, 0.08),
        wobble=rng.uniform(0.0, 0.12),
    )


def _any(rng: np.random.Generator) -> Habit:
    """Draw anything between the others."""
    serrated = rng.random() < 0.35
    return Habit(
        petiole=rng.uniform(0.15, 0.5),
        width=rng.uniform(0.42, 0.95),
        base=rng.uniform(0.45, 1.0),
        tip=rng.uniform(0.3, 0.6),
        stalk=rng.uniform(0.03, 0.065),
        bend=rng.uniform(0.02, 0.12),
        jitter=rng.uniform(0.04, 0.25),
        teeth=rng.uniform(4.0, 11.0),
        teeth_depth=rng.uniform(0.06, 0.22) if serrated else 0.0,
        notch=rng.uniform(0.1, 0.4) if rng.random() < 0.3 else 0.0,
        wobble=rng.uniform(0.0, 0.16),
    )


def _lobed(rng: np.random.Generator) -> Habit:
    """Draw deep lobes, as in arugula, radish and mustard."""
    return Habit(
        petiole=rng.uniform(0.12, 0.4),
        width=rng.uniform(0.36, 0.75),
        base=rng.uniform(0.6, 1.1),
        tip=rng.uniform(0.3, 0.45),
        stalk=rng.uniform(0.03, 0.06),
        bend=rng.uniform(0.03, 0.12),
        jitter=rng.uniform(0.05, 0.25),
        teeth=rng.uniform(5.0, 12.0),
        teeth_depth=rng.uniform(0.0, 0.12),
        lobes=rng.uniform(2.3, 5.0),
        lobes_depth=rng.uniform(0.25, 0.7),
        notch=rng.uniform(0.12, 0.42),
        wobble=rng.uniform(0.0, 0.12),
    )


def _cabbage(rng: np.random.Generator) -> Habit:
    """Draw broad serrated leaves and notched cotyledons, as in Brassica."""
    return Habit(
        petiole=rng.uniform(0.22, 0.5),
        width=rng.uniform(0.72, 1.08),
        base=rng.uniform(0.4, 0.7),
        tip=rng.uniform(0.3, 0.5),
        stalk=rng.uniform(0.035, 0.07),
        bend=rng.uniform(0.02, 0.1),
        jitter=rng.uniform(0.05, 0.3),
        teeth=rng.uniform(3.5, 9.0),
        teeth_depth=rng.uniform(0.08, 0.26),
        notch=rng.uniform(0.15, 0.42),
        wobble=rng.uniform(0.04, 0.18),
    )


def _pairs(rng: np.random.Generator) -> Habit:
    """Draw crossed pairs of pointed leaves on short petioles, as in basil and mint."""
    return Habit(
        petiole=rng.uniform(0.06, 0.28),
        width=rng.uniform(0.5, 0.85),
        base=rng.uniform(0.45, 0.7),
        tip=rng.uniform(0.45, 0.7),
        stalk=rng.uniform(0.03, 0.06),
        bend=rng.uniform(0.02, 0.08),
        jitter=rng.uniform(0.05, 0.25),
        teeth=rng.uniform(6.0, 12.0),
        teeth_depth=rng.uniform(0.0, 0.1),
        wobble=rng.uniform(0.0, 0.08),
        in_pairs=True,
    )


#: Kinds of plants and their shares.
KINDS: tuple[tuple[Callable[[np.random.Generator], Habit], float], ...] = (
    (_spoon, 0.34),
    (_any, 0.32),
    (_lobed, 0.12),
    (_cabbage, 0.12),
    (_pairs, 0.10),
)


def draw_habit(rng: np.random.Generator) -> Habit:
    """Draw a plant's kind of leaf."""
    return KINDS[rng.choice(len(KINDS), p=[share for _, share in KINDS])][0](rng)
