"""Score many predictions, one after another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from phenopipe.evaluate.columns import IMAGES
from phenopipe.evaluate.pair import Pair, PairScore, score_pair

#: Classes of pictures by true leaves: the least of each, and its name.
LEAF_CLASSES = {0: "0", 1: "1-4", 5: "5-9", 10: "10-14", 15: "15-19", 20: "20+"}
_DTYPES = {"text": "str", "integer": "int64", "number": "float64"}


@dataclass(frozen=True)
class Scores:
    """Scores of a set of pictures.

    Attributes
    ----------
    images : DataFrame
        One row per picture, in the order of the pairs: the columns `columns.IMAGES`.
    leaves : DataFrame
        One row per predicted leaf: `picture` (its row in `images`), `confidence`, and `iou` with
        its true leaf, 0 if it has none.
    worst : tuple of Pair
        Pairs of the lowest SBD, of equal ones those of the largest ``|DiC|``, the worst first.
    """

    images: pd.DataFrame
    leaves: pd.DataFrame
    worst: tuple[Pair, ...]


def score_pictures(pairs: Iterable[Pair], *, worst: int = 0) -> Scores:
    """Score pairs one after another.

    Parameters
    ----------
    pairs : iterable of Pair
        Predictions and truths; only the `worst` are kept in memory.
    worst : int
        How many of the worst pairs to keep, for drawing.

    Returns
    -------
    Scores
        A row per picture, a row per predicted leaf, and the worst pairs.

    Raises
    ------
    InputError
        If a pair does not fit together; see `score_pair`.
    """
    rows: list[dict[str, object]] = []
    leaves: list[pd.DataFrame] = []
    kept: list[tuple[tuple[float, float, int], Pair]] = []
    for number, pair in enumerate(pairs):
        score = score_pair(pair)
        rows.append({"data_set": pair.data_set, "image": pair.image, **score.figures})
        leaves.append(_leaves(number, score))
        kept.append(((*_rank(score), number), pair))
        kept = sorted(kept, key=lambda case: case[0])[:worst]
    return Scores(_table(rows), _join(leaves), tuple(pair for _, pair in kept))


def _rank(score: PairScore) -> tuple[float, float]:
    figures = score.figures
    return figures["symmetric_best_dice"], -figures["absolute_difference_in_count"]


def _leaves(picture: int, score: PairScore) -> pd.DataFrame:
    return pd.DataFrame({"picture": picture, "confidence": score.confidence, "iou": score.iou})


def _join(leaves: list[pd.DataFrame]) -> pd.DataFrame:
    kinds = {"picture": "int64", "confidence": "float64", "iou": "float64"}
    return pd.concat([pd.DataFrame(columns=[*kinds]), *leaves], ignore_index=True).astype(kinds)


def _table(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[column.name for column in IMAGES])
    bounds, names = [*LEAF_CLASSES, np.inf], [*LEAF_CLASSES.values()]
    classes = pd.cut(table["true_leaves"].astype("float64"), bounds, right=False, labels=names)
    kinds = {column.name: _DTYPES[column.kind] for column in IMAGES}
    return table.assign(leaf_class=classes.astype("str")).astype(kinds)
