"""One row per planned image and pot, with all that is known before measuring."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from phenopipe.tabulate.columns import KEYS, LEAVES, PLANTS, names
from phenopipe.tabulate.sheet import join_sheet

#: Columns of a plan that speak of the file and the run and not of the plant.
PLAN_ONLY = frozenset({"version", "shard", "status", "reason"})
#: What a crop's row gives.
CROP_TEXT = ("crop_id", "status", "reason", "scale_source")
CROP_NUMBERS = ("mm_per_px", "brightness", "sharpness")
#: Helper columns, while joining: a user's column never begins with a space.
_CUT_POT, _POT_KNOWN = " cut_pot", " pot_known"
_OWN = frozenset({*names(PLANTS), *names(LEAVES), *CROP_TEXT, "in_sheet", "label", "crop_index"})


def join_pots(
    images: pd.DataFrame, crops: pd.DataFrame, sheet: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Make the rows of `plants.csv`: (planned images) x (pots of that image), whatever happened.

    Parameters
    ----------
    images : DataFrame of str
        One row per planned image: image, and any columns of `KEYS`. A column that is none of
        theirs (a further field of file names) is carried along; its name gets the prefix
        ``meta_`` if a table has a column of that name already, with or without the prefix.
    crops : DataFrame
        One row per crop: image, pot, crop_id, status, reason, mm_per_px, scale_source,
        brightness, sharpness. An image without a crop still makes a row, as unreadable.
    sheet : DataFrame, optional
        As `phenopipe.tabulate.sheet.read_plants_sheet` returns it.

    Returns
    -------
    DataFrame
        The columns of `KEYS`, the crop's columns, in_sheet, and any further ones; sorted by
        image and pot (10 after 2).
    """
    fields = _plant_fields(images)
    rows = _add_crops(fields, crops)
    identity = _place_identity(rows, [name for name in fields.columns if name not in names(KEYS)])
    if sheet is None:
        rows["in_sheet"] = True
    else:
        rows = join_sheet(rows, sheet.rename(columns=_renamed))
    rows["plant_id"] = rows["plant_id"].where(rows["plant_id"] != "", identity)
    rows = rows.drop(columns=_POT_KNOWN)
    keys = list(map(_natural, rows["image"].tolist(), rows["pot"].tolist()))
    order = sorted(range(len(rows)), key=keys.__getitem__)
    return rows.iloc[order].reset_index(drop=True)


def extra_columns(pots: pd.DataFrame) -> list[str]:
    """Return the names of the columns that file names or the plants sheet add to the tables."""
    own = {*names(KEYS), *CROP_TEXT, *CROP_NUMBERS, "in_sheet"}
    return sorted(name for name in pots.columns if name not in own)


def _renamed(name: str) -> str:
    """Keep a user's column from being taken for one of ours.

    Names that have the prefix get it once more: so no two columns come to bear one name.
    """
    bare = re.sub("^(meta_)+", "", name)
    return f"meta_{name}" if bare in _OWN and name not in names(KEYS) else name


def _plant_fields(images: pd.DataFrame) -> pd.DataFrame:
    """Keep what a plan says of plants: every key column, empty where unknown, then the rest."""
    kept = images.drop(columns=[name for name in images.columns if name in PLAN_ONLY])
    kept = kept.rename(columns=_renamed).fillna("").astype("str")
    for name in names(KEYS):
        if name not in kept.columns:
            kept[name] = ""
    rest = [name for name in kept.columns if name not in names(KEYS)]
    return kept[[*names(KEYS), *rest]]


def _add_crops(rows: pd.DataFrame, crops: pd.DataFrame) -> pd.DataFrame:
    """Join crops; a pot's name is the crop's, or else the plan's."""
    wanted = crops[["image", "pot", *CROP_TEXT, *CROP_NUMBERS]].rename(columns={"pot": _CUT_POT})
    joined = rows.merge(wanted, on="image", how="left", validate="1:m")
    missing = joined["status"].isna()
    joined.loc[missing, "status"] = "unreadable"
    joined.loc[missing, "reason"] = "ingest wrote no crop for this image"
    for name in (_CUT_POT, *CROP_TEXT):
        joined[name] = joined[name].fillna("").astype("str")
    for name in CROP_NUMBERS:
        joined[name] = pd.to_numeric(joined[name])
    joined[_POT_KNOWN] = joined["pot"] != ""
    joined["pot"] = joined[_CUT_POT].where(joined[_CUT_POT] != "", joined["pot"])
    return joined.drop(columns=_CUT_POT)


def _place_identity(rows: pd.DataFrame, further: list[str]) -> pd.Series:
    """Name a plant by its place: one place is one plant for a whole season.

    The place is camera, tray and pot, those that are known, joined by '-'. Where none is, plants
    of another genotype or treatment are others, and so are those of one genotype that a further
    field tells apart, such as a replicate. Where no name or sheet says anything of an image, not
    even its time, images cannot be told to show one plant: each has its own, named by the image
    without its ending, and its pot.
    """
    placed = rows[_POT_KNOWN] | (rows[["camera", "tray"]] != "").any(axis=1)
    timed = rows["timestamp"] != ""
    grown = timed & (rows[["genotype", "treatment"]] != "").any(axis=1)
    stems = [str(PurePosixPath(image).with_suffix("")) for image in rows["image"]]
    kinds = {
        "place": _joined(rows, ["camera", "tray", "pot"]),
        "growth": _joined(rows, ["genotype", "treatment", *further, "pot"]),
        "time": _joined(rows, ["pot"]),
        "picture": _joined(rows.assign(image=stems), ["image", "pot"]),
    }
    chosen = np.select([placed, grown, timed], ["place", "growth", "time"], "picture")
    identities = [
        kinds[kind][row] or kinds["picture"][row] for row, kind in enumerate(chosen.tolist())
    ]
    return pd.Series(identities, index=rows.index, dtype="str")


def _joined(rows: pd.DataFrame, columns: list[str]) -> list[str]:
    """Return the cells of each row that are not empty, with '-' between them."""
    return ["-".join(filter(None, cells)) for cells in rows[columns].itertuples(index=False)]


def _natural(*cells: str) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """Return a key that sorts 10 after 2."""
    return tuple(
        tuple(
            (0, int(part), part) if part.isdecimal() else (1, 0, part)
            for part in re.split(r"(\d+)", cell)
            if part
        )
        for cell in cells
    )
