"""The pictures on a set's page: which plants are shown, and how."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.crop_array import read_crop, read_window
from phenopipe.crop_table import VALID, read_crop_table
from phenopipe.errors import StoreError
from phenopipe.own_rows import Places, own_rows
from phenopipe.report.overlay import draw_overlay, jpeg_uri
from phenopipe.report.page import text_records
from phenopipe.store import crop_array, open_array, open_store
from phenopipe.tabulate.flags import FAILED, has_flag

_WHERE = ["shard", "at", *VALID]


@dataclass(frozen=True)
class Picture:
    """One plant on the page.

    Attributes
    ----------
    uri : str
        The overlay as a data URI; empty if it cannot be read.
    alt : str
        What it shows, for those who cannot see it.
    row : dict
        The plant's row of `plants.csv`; missing cells are empty text.
    """

    uri: str
    alt: str
    row: dict[str, Any]


class CropPictures:
    """Crops and labels of an image set, read one at a time.

    Parameters
    ----------
    tables, stores : sequence of path-like
        The crops' TSVs and Zarr stores of all shards, in order.
    labels : path-like
        ``labels.zarr`` of the set: the crops of all shards, one after another.
    places : mapping of str to str, optional
        Shard of each image of the set, needed where one is a joint shard.

    Raises
    ------
    StoreError
        If a store or table is missing, or they do not fit together.
    """

    def __init__(
        self,
        tables: Sequence[str | os.PathLike[str]],
        stores: Sequence[str | os.PathLike[str]],
        labels: str | os.PathLike[str],
        places: Places | None = None,
    ) -> None:
        frames = [read_crop_table(path) for path in tables]
        self._stores = [Path(path) for path in stores]
        own = [
            own_rows(table, frame["image"].tolist(), places)
            for table, frame in zip(tables, frames, strict=True)
        ]
        self._crops = pd.concat(
            [
                frame.assign(shard=shard, at=range(len(frame))).iloc[rows]
                for shard, (frame, rows) in enumerate(zip(frames, own, strict=True))
            ]
            or [pd.DataFrame(columns=["image", "pot"])],
            ignore_index=True,
        )
        group = open_store(labels, "labels")
        self._labels, self._windows = (
            crop_array(open_array(group, name)) for name in ("labels", "window")
        )
        counted = self._labels.shape[0]
        if counted != len(self._crops) or len(frames) != len(self._stores):
            raise StoreError(f"{labels}: holds {counted} crops, the tables {len(self._crops)}")
        pots = zip(self._crops["image"], self._crops["pot"], strict=True)
        self._position = {pot: number for number, pot in enumerate(pots)}

    def overlay(self, image: str, pot: str, side: int) -> NDArray[np.uint8]:
        """Return what was predicted of a crop, with its leaves, (h, w, 3).

        The longer side is `side` px.

        Raises
        ------
        StoreError
            If there is no such crop, or it is damaged.
        """
        number = self._position.get((image, pot))
        if number is None:
            raise StoreError(f"{image}, pot {pot}: there is no crop")
        shard, at, *valid = map(int, self._crops[_WHERE].to_numpy()[number])
        stored = open_array(open_store(self._stores[shard], "crops"), "rgb")
        rgb = read_crop(crop_array(stored), at)
        labels = read_crop(self._labels, number)
        window = read_window(self._windows, number, len(rgb))
        size = len(labels)
        left, top, right, bottom = window.clip((valid[0], valid[1], valid[2], valid[3]), size)
        part = np.s_[top:bottom, left:right]
        return draw_overlay(*_resize(window.resample(rgb, size)[part], labels[part], side))


def choose_rows(plants: pd.DataFrame, most: int) -> pd.DataFrame:
    """Choose the plants to show: flagged ones first, then others spread evenly over the table.

    Parameters
    ----------
    plants : DataFrame
        Rows of `plants.csv`.
    most : int
        Most rows to choose.

    Returns
    -------
    DataFrame
        Chosen rows; none of those that failed, which have nothing to show.
    """
    seen = plants[~has_flag(plants["qc_flags"], *FAILED)]
    is_flagged = seen["qc_flags"].fillna("") != ""
    flagged, plain = seen[is_flagged].head(most), seen[~is_flagged]
    count = min(most - len(flagged), len(plain))
    spread = np.linspace(0, max(0, len(plain) - 1), count).round().astype(np.intp)
    return pd.concat([flagged, plain.iloc[spread]])


def show_plants(rows: pd.DataFrame, crops: CropPictures, side: int) -> Iterator[Picture]:
    """Draw the chosen plants, one after another.

    Parameters
    ----------
    rows : DataFrame
        Rows of `plants.csv`.
    crops : CropPictures
        Where pictures and labels are.
    side : int
        Longer side of each overlay, px.

    Yields
    ------
    Picture
        A damaged crop has no picture, and says so.
    """
    for row in text_records(rows):
        plant = f"plant {row['plant_id']}, {row['leaf_count']} leaves"
        try:
            drawn = crops.overlay(row["image"], row["pot"], side)
        except StoreError as error:
            yield Picture("", f"{plant}: {error}", row)
        else:
            yield Picture(jpeg_uri(drawn), f"Top view of {plant}, outlined in colours", row)


def _resize(
    rgb: NDArray[np.uint8], labels: NDArray[np.uint32], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Resize both so that the longer side is `side`; labels stay labels."""
    scale = side / max(labels.shape)
    size = tuple(max(1, round(scale * length)) for length in reversed(labels.shape))
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    larger = cv2.resize(labels.astype(np.float64), size, interpolation=cv2.INTER_NEAREST)
    resized = np.asarray(cv2.resize(rgb, size, interpolation=smooth), np.uint8)
    return resized, np.asarray(larger).astype(np.uint32)
