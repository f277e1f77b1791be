"""True figures of a greenhouse's plants and leaves, whose numbers stay from night to night."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.leaf import outline
from phenopipe.synth.plant import Standing
from phenopipe.synth.rosette import GrownLeaf
from phenopipe.tsv import write_tsv

#: Names of the two tables in a night's folder of truth.
PLANT_TABLE, LEAF_TABLE = "plants.tsv", "leaves.tsv"


@dataclass(frozen=True)
class LeafTruth:
    """One leaf of one picture.

    Attributes
    ----------
    leaf_id : int
        Its number, the same every night and in the label map: 1 and 2 are the cotyledons, later
        leaves follow in the order they appear.
    visible_area_px : int
        Pixels of the label map; 0 for a leaf that others hide.
    full_area_px : float
        Area within its outline, hidden or not; it never shrinks.
    length_px : float
        From stem to tip, petiole and blade.
    angle_deg : float
        Direction from the stem, 0 to the right and 90 down, at least 0 and under 360.
    """

    leaf_id: int
    visible_area_px: int
    full_area_px: float
    length_px: float
    angle_deg: float


@dataclass(frozen=True)
class PlantTruth:
    """One pot's plant in one picture; an empty pot has counts and areas of 0 and no stem.

    Attributes
    ----------
    leaf_count : int
        Leaves of which something is seen.
    leaves_grown : int
        Leaves that have appeared, hidden ones too.
    plant_area_px : int
        Pixels of all leaves.
    stem_x, stem_y : float or None
        Where it stands, px from the middle of the upper left pixel; the same every night.
    """

    leaf_count: int
    leaves_grown: int
    plant_area_px: int
    stem_x: float | None
    stem_y: float | None


def leaf_truths(standing: Standing | None, labels: NDArray[np.uint16]) -> list[LeafTruth]:
    """Return the truth about every leaf that has appeared, hidden ones too.

    Parameters
    ----------
    standing : Standing or None
        The plant; None for an empty pot.
    labels : ndarray, (S, S), uint16
        Its label map, numbers as `LeafTruth.leaf_id`.
    """
    if standing is None:
        return []
    grown = standing.grown
    visible = np.bincount(labels.ravel(), minlength=grown[-1].index + 2)
    return [_leaf_truth(leaf, standing.scale, int(visible[leaf.index + 1])) for leaf in grown]


def plant_truth(standing: Standing | None, leaves: list[LeafTruth]) -> PlantTruth:
    """Sum up the leaves of one plant."""
    x, y = (None, None) if standing is None else standing.stem
    return PlantTruth(
        leaf_count=sum(leaf.visible_area_px > 0 for leaf in leaves),
        leaves_grown=len(leaves),
        plant_area_px=sum(leaf.visible_area_px for leaf in leaves),
        stem_x=x,
        stem_y=y,
    )


class TruthTables:
    """The two tables of one night, filled picture by picture.

    Parameters
    ----------
    image_set : str
        The night.
    """

    KEYS = ("image_set", "image", "pot")

    def __init__(self, image_set: str) -> None:
        self.image_set = image_set
        self._plants: list[list[str]] = []
        self._leaves: list[list[str]] = []

    def add(
        self, image: str, pot: str, standing: Standing | None, labels: NDArray[np.uint16]
    ) -> None:
        """Add a picture: its name, its pot's name, what stands there and its label map."""
        keys = [self.image_set, image, pot]
        leaves = leaf_truths(standing, labels)
        self._plants.append(keys + _cells(plant_truth(standing, leaves)))
        self._leaves += [keys + _cells(leaf) for leaf in leaves]

    def write(self, folder: Path) -> None:
        """Write `PLANT_TABLE` and `LEAF_TABLE` into a folder.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        for name, row, rows in (
            (PLANT_TABLE, PlantTruth, self._plants),
            (LEAF_TABLE, LeafTruth, self._leaves),
        ):
            write_tsv(folder / name, [*self.KEYS, *(f.name for f in fields(row))], rows)


def _leaf_truth(leaf: GrownLeaf, scale: float, visible: int) -> LeafTruth:
    length = leaf.length * scale
    x, y = outline(leaf.form).T
    full = 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) * length**2
    return LeafTruth(leaf.index + 1, visible, full, length, float(np.rad2deg(leaf.angle) % 360.0))


def _cells(row: PlantTruth | LeafTruth) -> list[str]:
    return [_cell(value) for value in astuple(row)]


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
