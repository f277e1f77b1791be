"""What the scores of pictures say of a set, and how surely."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.evaluate.average_precision import PrecisionCurve, precision_figures
from phenopipe.evaluate.columns import METRICS, SUMMARY
from phenopipe.evaluate.scores import LEAF_CLASSES, Scores

#: Name of all data sets together, and of all leaf classes together.
ALL = "all"
#: Most resampled values held at once.
_CHUNK = 2_000_000
_Draws = NDArray[np.float64]
_Average = Callable[..., Any]


def summarize_scores(scores: Scores, *, resamples: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Summarise scores by data set and by leaf-count class.

    Parameters
    ----------
    scores : Scores
        Of all pictures.
    resamples : int
        How often pictures are drawn anew, with replacement, for standard errors and intervals;
        with fewer than 2 these are missing.
    seed : int
        Seed of the draws.

    Returns
    -------
    DataFrame
        The columns `columns.SUMMARY`, one row per data set ("all" first, then each if there are
        several), leaf class ("all" first, then each that occurs) and metric. A figure of a single
        picture has no error; one that no picture has is missing.

    Notes
    -----
    Intervals are percentiles of the bootstrap. They say how much the figure depends on which
    pictures were taken, not how well the pictures stand for others.
    """
    random = np.random.default_rng(seed)
    rows = [
        {"data_set": data_set, "leaf_class": leaf_class, **figure}
        for data_set, leaf_class, chosen in _groups(scores.images)
        for figure in _figures(scores, chosen, resamples, random)
    ]
    table = pd.DataFrame(rows, columns=[column.name for column in SUMMARY])
    return table.astype({"images": "int64", "value": "float64"})


def figure(summary: pd.DataFrame, metric: str, leaf_class: str = ALL, data_set: str = ALL) -> float:
    """Look up one figure of a summary; NaN where it is missing or the group is not there."""
    is_it = (
        (summary["metric"] == metric)
        & (summary["leaf_class"] == leaf_class)
        & (summary["data_set"] == data_set)
    )
    values = summary.loc[is_it, "value"].to_numpy(np.float64)
    return float(values[0]) if len(values) else np.nan


def precision_by_threshold(scores: Scores) -> NDArray[np.float64]:
    """Return average precision of all pictures at each of `IOU_THRESHOLDS`, (10,)."""
    return _curve(scores, np.ones(len(scores.images), np.bool_)).average_precision()


def _groups(images: pd.DataFrame) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    sets = sorted(images["data_set"].unique())
    for data_set in [ALL, *sets] if len(sets) > 1 else [ALL]:
        of_set = (images["data_set"] == data_set) | (data_set == ALL)
        for leaf_class in (ALL, *LEAF_CLASSES.values()):
            chosen = of_set & ((images["leaf_class"] == leaf_class) | (leaf_class == ALL))
            if leaf_class == ALL or chosen.any():
                yield data_set, leaf_class, chosen.to_numpy(np.bool_)


def _figures(
    scores: Scores, chosen: NDArray[np.bool_], resamples: int, random: np.random.Generator
) -> Iterator[dict[str, object]]:
    images = scores.images[chosen]
    pooled = _pooled(_curve(scores, chosen), len(images), resamples, random)
    for metric in METRICS:
        values = images[metric.name]
        if metric.statistic == "pooled":
            count, value, draws = len(images), *pooled[metric.name]
        else:
            known = values.dropna().to_numpy(np.float64)
            average: _Average = np.mean if metric.statistic == "mean" else np.median
            count, value = len(known), float(average(known)) if len(known) else np.nan
            draws = _bootstrap(known, average, resamples, random)
        yield {
            "metric": metric.name,
            "statistic": metric.statistic,
            "value": value,
            **_spread(draws, count),
            "images": count,
        }


def _curve(scores: Scores, chosen: NDArray[np.bool_]) -> PrecisionCurve:
    """Return the precision curve of some pictures, which are numbered anew."""
    leaves = scores.leaves[chosen[scores.leaves["picture"]]]
    number = np.cumsum(chosen) - 1
    return PrecisionCurve(
        leaves["confidence"].to_numpy(np.float64),
        leaves["iou"].to_numpy(np.float64),
        number[leaves["picture"]],
        scores.images["true_leaves"].to_numpy(np.int64)[chosen],
    )


def _pooled(
    curve: PrecisionCurve, images: int, resamples: int, random: np.random.Generator
) -> dict[str, tuple[float, _Draws]]:
    """Return value and draws of what is pooled over leaves."""
    by_threshold = curve.average_precision()
    values = precision_figures(by_threshold)
    draws = np.zeros((resamples if np.isfinite(by_threshold).all() else 0, len(by_threshold)))
    for draw in draws:
        times = np.bincount(random.integers(0, images, images), minlength=images)
        draw[:] = curve.average_precision(times.astype(np.float64))
    drawn = precision_figures(draws)
    return {name: (float(value), drawn[name]) for name, value in values.items()}


def _bootstrap(
    values: _Draws, average: _Average, resamples: int, random: np.random.Generator
) -> _Draws:
    """Average values drawn anew, (resamples,); in chunks, so that many pictures fit into memory."""
    if not len(values):
        return values
    rows = max(1, _CHUNK // len(values))
    shapes = [(min(rows, resamples - done), len(values)) for done in range(0, resamples, rows)]
    drawn = [average(values[random.integers(0, len(values), shape)], axis=1) for shape in shapes]
    return np.concatenate([np.zeros(0), *drawn])


def _spread(draws: _Draws, images: int) -> dict[str, float]:
    """Return standard error and 95 % interval; missing where a single picture was drawn from."""
    known = draws[np.isfinite(draws)]
    if images < 2 or len(known) < 2:
        return dict.fromkeys(("standard_error", "low", "high"), np.nan)
    low, high = np.quantile(known, (0.025, 0.975))
    return {"standard_error": float(known.std(ddof=1)), "low": float(low), "high": float(high)}
