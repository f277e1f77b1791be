"""The table beside a store of crops: one row per crop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from phenopipe.errors import StoreError
from phenopipe.tsv import read_tsv, write_tsv

if TYPE_CHECKING:
    import pandas as pd

#: Reason of a crop whose picture was not there.
GONE = "file is gone"
#: Columns of the half-open box of the real picture in a crop.
VALID = ("valid_left", "valid_top", "valid_right", "valid_bottom")


@dataclass(frozen=True)
class CropRow:
    """One crop; row i of the table is crop i of the store.

    Attributes
    ----------
    crop_id : str
        "{image}#{pot}", unique in an image set.
    image, pot, camera : str
        Path below the image root, name of the pot, and camera (empty if unknown).
    status : str
        "ok", or "unreadable" with a `reason`; then the crop is black and numbers are missing.
    image_height, image_width : int
        Size of the image, upright, px; 0 if unreadable.
    m00, m01, m02, m10, m11, m12 : float
        The affine transform from crop to image, row by row.
    valid_left, valid_top, valid_right, valid_bottom : int
        Half-open box of the real picture, px of the crop.
    mm_per_px : float
        Millimetres that a pixel of the image spans; missing if unknown.
    scale_source : str
        Where that comes from: "camera" for the camera's settings, or empty.
    brightness : float
        Mean luma of the real picture, 0..255.
    sharpness : float
        Standard deviation of the Laplacian of its luma, grey levels.
    """

    crop_id: str
    image: str
    pot: str
    camera: str
    image_height: int = 0
    image_width: int = 0
    m00: float = np.nan
    m01: float = np.nan
    m02: float = np.nan
    m10: float = np.nan
    m11: float = np.nan
    m12: float = np.nan
    valid_left: int = 0
    valid_top: int = 0
    valid_right: int = 0
    valid_bottom: int = 0
    mm_per_px: float = np.nan
    scale_source: str = ""
    status: str = "ok"
    reason: str = ""
    brightness: float = np.nan
    sharpness: float = np.nan


_TYPES = {
    item.name: {"str": "str", "int": "int64", "float": "float64"}[str(item.type)]
    for item in fields(CropRow)
}


def write_crop_table(path: str | os.PathLike[str], rows: Sequence[CropRow]) -> None:
    """Write the table of a shard, whole or not at all; missing numbers are empty cells.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_tsv(path, list(_TYPES), ([_cell(value) for value in astuple(row)] for row in rows))


def read_crop_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the table of a shard.

    Parameters
    ----------
    path : path-like
        ``results/crops/{set}/{shard}.tsv``.

    Returns
    -------
    pandas.DataFrame
        One row per crop, in the order of the store; columns as :class:`CropRow`, missing numbers
        as NaN and missing text as "".

    Raises
    ------
    StoreError
        If the file is missing, damaged or no table of crops.
    """
    import pandas as pd

    columns, rows = read_tsv(path)
    missing = [name for name in _TYPES if name not in columns]
    if missing:
        raise StoreError(f"{path}: is no table of crops, it lacks {', '.join(missing)}")
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    numbers = {name for name, kind in _TYPES.items() if kind != "str"}
    try:
        # Not pandas' own conversion: it would round the last digit of some numbers.
        return pd.DataFrame(
            {
                name: [float(cell) if cell else np.nan for cell in column]
                if name in numbers
                else pd.array(column, dtype="str")
                for name, column in zip(columns, cells, strict=True)
            }
        ).astype(_TYPES)
    except ValueError as error:
        raise StoreError(f"{path}: a number is damaged ({error})") from error


def _cell(value: str | float) -> str:
    return "" if isinstance(value, float) and np.isnan(value) else str(value)
