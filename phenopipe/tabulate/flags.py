"""Flags: what a reader should know before trusting a row."""

from __future__ import annotations

import pandas as pd

from phenopipe.config import QualitySettings

#: Every flag and its meaning, in alphabetical order, as qc_flags joins them.
FLAGS = {
    "blurred": "The crop's sharpness is below quality.min_sharpness.",
    "bright": "The crop's mean luma is above quality.max_brightness.",
    "damaged": "Stored data of the crop are damaged or missing: nothing was measured.",
    "dark": "The crop's mean luma is below quality.min_brightness.",
    "empty": "No leaf was found; leaf_count is 0.",
    "low_confidence": "A leaf's confidence is below quality.low_confidence.",
    "not_in_sheet": "The plants sheet has no line for the pot.",
    "touches_edge": "The plant touches the edge of its crop: part of it may not be seen.",
    "unreadable": "The image, or its pot, could not be read: nothing was measured.",
}

#: A row with one of these has no measurements: it counts as failed.
FAILED = ("damaged", "unreadable")


def find_flags(rows: pd.DataFrame, quality: QualitySettings) -> pd.DataFrame:
    """Tell which flags each row bears.

    Parameters
    ----------
    rows : DataFrame
        One row per plant with the columns status ("ok", "unreadable", "damaged"), leaf_count,
        confidence, touches_edge, brightness, sharpness and in_sheet. Missing values raise no
        flag.
    quality : QualitySettings
        Limits.

    Returns
    -------
    DataFrame of bool
        One column per flag of `FLAGS`, in that order, with the index of `rows`.
    """
    ok = rows["status"] == "ok"
    found = {
        "blurred": rows["sharpness"] < quality.min_sharpness,
        "bright": rows["brightness"] > quality.max_brightness,
        "damaged": rows["status"] == "damaged",
        "dark": rows["brightness"] < quality.min_brightness,
        "empty": ok & (rows["leaf_count"] == 0),
        "low_confidence": ok & (rows["confidence"] < quality.low_confidence),
        "not_in_sheet": ~rows["in_sheet"],
        "touches_edge": ok & rows["touches_edge"],
        "unreadable": rows["status"] == "unreadable",
    }
    table = pd.DataFrame(found, index=rows.index)[list(FLAGS)]
    return table.astype("boolean").fillna(False).astype(bool)


def join_flags(flags: pd.DataFrame) -> pd.Series:
    """Join the names of the flags that each row bears with ';', sorted; '' where none."""
    labels = list(flags.columns)
    joined = [
        ";".join(name for name, raised in zip(labels, row, strict=True) if raised)
        for row in flags.to_numpy()
    ]
    return pd.Series(joined, index=flags.index, dtype="string")


def has_flag(qc_flags: pd.Series, *flags: str) -> pd.Series:
    """Return whether each cell of `qc_flags` holds one of `flags`."""
    wanted = set(flags)
    found = [not wanted.isdisjoint(cell.split(";")) for cell in qc_flags.fillna("")]
    return pd.Series(found, index=qc_flags.index, dtype=bool)
