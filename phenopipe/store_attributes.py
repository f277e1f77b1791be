"""What a store says of itself: what it holds, by whom it was made. Read without Zarr.

Zarr takes 0.1 s to import; planning and `tabulate` need none of a store's arrays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from phenopipe.errors import StoreError, first_line, raise_passing

#: What a store may hold, and the layout of each, under the attribute `format`. A layout that
#: older code would misread gets a new number.
Kind = Literal["crops", "cleaned crops", "predictions", "labels"]
FORMATS: Mapping[Kind, str] = {
    "crops": "phenopipe-crops-1",
    "cleaned crops": "phenopipe-cleaned-crops-1",
    "predictions": "phenopipe-predictions-2",
    "labels": "phenopipe-labels-2",
}


def read_attribute(
    path: str | os.PathLike[str],
    name: str,
    kind: Kind | None = None,
) -> Any:  # noqa: ANN401 - any JSON value
    """Return an attribute of a store, or say that it is missing.

    Parameters
    ----------
    path : path-like
        Folder of the store.
    name : str
        Name of the attribute.
    kind : {"crops", "cleaned crops", "predictions", "labels"}, optional
        What the store must hold; by default anything.

    Raises
    ------
    StoreError
        If there is no readable Zarr v3 store at `path`, it holds something else, or has no such
        attribute.
    """
    attributes = _read_attributes(path)
    check_kind(path, attributes, kind)
    if name not in attributes:
        raise StoreError(f"{path}: has no attribute {name!r}")
    return attributes[name]


def check_kind(
    path: str | os.PathLike[str], attributes: Mapping[str, Any], kind: Kind | None
) -> None:
    """Check by its attributes what a store holds.

    Raises
    ------
    StoreError
        If it is something other than `kind`, unless that is None.
    """
    found, wanted = attributes.get("format"), FORMATS[kind] if kind else None
    if wanted not in (None, found):
        raise StoreError(f"{path}: is no store of {kind} (its format is {found!r}, not {wanted!r})")


def check_replaceable(path: str | os.PathLike[str], kind: Kind) -> None:
    """Check that a new store may take a name: that nothing else stands there that would be lost.

    Raises
    ------
    StoreError
        If there is a file, a folder of other files, or a store of another kind. Crops and what is
        left of cleaned ones replace each other; a store that is damaged is replaced by any.
    """
    there, own = Path(path), "give the store a name of its own"
    if there.is_file():
        raise StoreError(f"{there}: is a file; {own}")
    if not there.is_dir() or not any(there.iterdir()):
        return
    if not (there / "zarr.json").is_file():
        raise StoreError(f"{there}: is a folder of other files; {own}")
    try:
        found = str(_read_attributes(there).get("format"))
    except StoreError:
        return
    if _family(found) != _family(FORMATS[kind]):
        raise StoreError(f"{there}: is a store of another kind (its format is {found!r}); {own}")


def _family(layout: str) -> str:
    """Return what a layout is of, whatever its number, cleaned or not."""
    return layout.rpartition("-")[0].replace("-cleaned", "")


def is_cleaned(path: str | os.PathLike[str]) -> bool:
    """Tell whether the crops of a store were cleaned; a store that is damaged was not.

    Raises
    ------
    PassingError
        If it cannot be read for now.
    """
    try:
        return bool(_read_attributes(path).get("format") == FORMATS["cleaned crops"])
    except StoreError:  # the stage that reads it says so
        return False


def _read_attributes(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        about = json.loads(Path(path, "zarr.json").read_bytes())
        if not isinstance(about, dict) or about.get("zarr_format") != 3:
            raise ValueError("zarr.json is of no Zarr v3 group")
        return dict(about.get("attributes", {}))
    except (OSError, ValueError, TypeError) as error:
        raise_passing(error, path)
        raise StoreError(f"{path}: no readable Zarr store ({first_line(error)})") from error
