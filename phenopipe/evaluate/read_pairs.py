"""Pairs of predictions and truths, read from files or measured by a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.errors import InputError
from phenopipe.evaluate.overlap import LabelMap
from phenopipe.evaluate.pair import Pair
from phenopipe.evaluate.pair_files import PairFiles
from phenopipe.labelled import read_label_map, read_picture
from phenopipe.tabulate import read_table

if TYPE_CHECKING:
    from phenopipe.measurement import Measurer


def read_pairs(files: Iterable[PairFiles], leaves: pd.DataFrame | None = None) -> Iterator[Pair]:
    """Read predicted and true label maps, one pair at a time.

    Parameters
    ----------
    files : iterable of PairFiles
        Each with a prediction.
    leaves : DataFrame, optional
        Confidences of their leaves, as `read_confidences` gives them.

    Yields
    ------
    Pair
        Prediction and truth, and the picture where there is one.

    Raises
    ------
    InputError
        If a file cannot be read, or `leaves` lacks a leaf of a label map.
    """
    for pair in files:
        if pair.prediction is None:
            raise InputError(f"{pair.truth}: has no prediction")
        prediction = read_label_map(pair.prediction)
        confidence = None
        if leaves is not None:
            own = leaves[leaves["name"] == pair.prediction.stem]
            confidence = leaf_confidence(prediction, own, str(pair.prediction))
        yield Pair(
            pair.image,
            prediction,
            read_label_map(pair.truth),
            confidence,
            partial(read_picture, pair.picture) if pair.picture else None,
            pair.data_set,
        )


def measure_pairs(files: Iterable[PairFiles], measurer: Measurer) -> Iterator[Pair]:
    """Measure pictures and read their true label maps, one pair at a time.

    Parameters
    ----------
    files : iterable of PairFiles
        Each with a picture.
    measurer : Measurer
        Model and settings.

    Yields
    ------
    Pair
        What the model found, with its confidences, and the truth.

    Raises
    ------
    InputError
        If a file is missing or cannot be read.
    """
    for pair in files:
        if pair.picture is None:
            raise InputError(f"{pair.truth}: has no picture")
        found = measurer.measure(read_picture(pair.picture), pair.image)
        yield Pair(
            pair.image,
            found.labels,
            read_label_map(pair.truth),
            leaf_confidence(found.labels, found.leaves, str(pair.picture)),
            partial(read_picture, pair.picture),
            pair.data_set,
        )


def read_confidences(predictions: Path) -> pd.DataFrame | None:
    """Read the confidences of the leaves that ``phenopipe measure`` found.

    Parameters
    ----------
    predictions : Path
        The folder that it wrote, or the ``labels`` in it.

    Returns
    -------
    DataFrame or None
        Columns name (of the label map, without its ending), leaf_id and confidence; None if
        there is no ``leaves.csv``.

    Raises
    ------
    StoreError
        If the table is damaged.
    """
    folder = predictions.parent if predictions.resolve().name == "labels" else predictions
    table = folder / "leaves.csv"
    if not table.is_file():
        return None
    leaves = read_table(table, ["plant_id", "pot", "leaf_id", "confidence"])
    names = [
        plant.removesuffix(f"-{pot}")
        for plant, pot in zip(leaves["plant_id"], leaves["pot"], strict=True)
    ]
    return leaves[["leaf_id", "confidence"]].assign(name=names)


def leaf_confidence(labels: LabelMap, leaves: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return how sure each leaf of a predicted label map is.

    Parameters
    ----------
    labels : ndarray, (H, W), integer
        Label map.
    leaves : DataFrame
        Columns leaf_id and confidence. A leaf that another pot's covers has no pixel and is
        left out.
    name : str
        What an error names.

    Returns
    -------
    ndarray, (K,), float
        Confidences in ascending order of labels.

    Raises
    ------
    InputError
        If `leaves` lacks a label.
    """
    known = leaves.set_index("leaf_id")["confidence"]
    found = np.unique(labels[labels > 0]).tolist()
    if missing := sorted(set(found) - set(known.index)):
        raise InputError(f"{name}: leaves.csv has no leaf {missing[0]} of it: are they of one run?")
    return np.asarray(known.loc[found], np.float64)
