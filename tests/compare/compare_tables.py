"""Tables of plants as `tabulate` writes them, small enough to know what changed."""

from __future__ import annotations

import pandas as pd

from phenopipe.tabulate import PLANTS

_TYPES = {"text": "string", "time": "string", "integer": "Int64"}
_TYPES |= {"number": "float64", "boolean": "boolean"}


def plants(rows, image_set="n1"):
    """Rows of `plants.csv` from image, leaf count and plant area; None was not measured."""
    cells = [
        {
            "image_set": image_set,
            "image": f"{image_set}/{image}.png",
            "pot": "1",
            "plant_id": image,
            "leaf_count": count,
            "leaf_area_px": area,
            "plant_area_px": area,
            "qc_flags": None if count is not None else "unreadable",
        }
        for image, count, area in rows
    ]
    table = pd.DataFrame(cells, columns=[column.name for column in PLANTS])
    return table.astype({column.name: _TYPES[column.kind] for column in PLANTS})
