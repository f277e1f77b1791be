"""Plants of known growth and leaves of known identity, as rows of a season's tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from phenopipe.tabulate import LEAVES, PLANTS
from phenopipe.tabulate.columns import names
from phenopipe.tabulate.rows import _DTYPES

START = datetime(2026, 3, 1, 22, tzinfo=UTC)
GOLDEN = np.deg2rad(137.508)


def time_of(day):
    return (START + timedelta(days=float(day))).isoformat()


def table(rows, columns):
    """Make a table of the right types from rows that give only some columns."""
    frame = pd.DataFrame(rows, columns=names(columns))
    return pd.DataFrame({c.name: frame[c.name].astype(_DTYPES[c.kind]) for c in columns})


def plant_row(day, plant="p1", **cells):
    """One row of plants.csv; `day` None is a row without a time."""
    when = None if day is None else time_of(day)
    row = {
        "experiment": "e",
        "image_set": "none" if day is None else f"night{int(day):02d}",
        "image": f"{plant}-{day}.png",
        "timestamp": when,
        "pot": "1",
        "plant_id": plant,
        "genotype": "Is-1",
        "leaf_count": 4,
        "plant_area_px": 100.0,
    }
    return row | cells


def plants_table(rows):
    return table(rows, PLANTS)


def leaves_table(rows):
    return table(rows, LEAVES)


def rosette(days, *, leaves=8, seed=0, shift=0.0, plastochron=1.5):
    """Draw the leaves of one growing plant.

    Leaf k stands at k golden angles, appears on day (k - 3) * plastochron, and grows outwards as
    a saturating curve. The plant wobbles and lies elsewhere in each picture; leaves are in a
    random order.

    Returns rows of plants.csv and of leaves.csv; the leaf's true number is in solidity.
    """
    rng = np.random.default_rng(seed)
    plants, rows = [], []
    for day in days:
        centre = 200 + rng.uniform(-shift, shift, 2)
        ages = np.array([day - max(0.0, (k - 3) * plastochron) for k in range(leaves)])
        alive = np.flatnonzero(ages >= 0)
        radius = 8 + 60 * (1 - np.exp(-(ages[alive] + 1) / 8))
        angle = alive * GOLDEN + rng.normal(0, 0.05, len(alive))
        area = (radius**2) * 0.25
        plants.append(plant_row(day, leaf_count=len(alive), plant_area_px=area.sum()))
        for number, k in enumerate(rng.permutation(len(alive)), start=1):
            rows.append(
                {
                    **{key: plants[-1][key] for key in ("experiment", "image_set", "image", "pot")},
                    "timestamp": time_of(day),
                    "plant_id": "p1",
                    "leaf_id": number,
                    "centroid_x": centre[0] + radius[k] * np.cos(angle[k]),
                    "centroid_y": centre[1] + radius[k] * np.sin(angle[k]),
                    "area_px": area[k],
                    "solidity": float(alive[k]),
                }
            )
    return plants, rows
