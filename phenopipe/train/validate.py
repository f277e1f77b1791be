"""Score a model on pictures that no training sees: drawn ones, and labelled ones kept back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phenopipe.config import PredictSettings, SegmentSettings, TrainSettings
from phenopipe.evaluate import Pair, score_pair
from phenopipe.labelled import Source
from phenopipe.model.device import choose_device
from phenopipe.predict import Network
from phenopipe.segment import segment_leaves
from phenopipe.train.data import VALIDATION, KeptBack, Sample, SyntheticPlants

#: The figures of a score, in their order.
FIGURES = (
    "symmetric_best_dice",
    "absolute_difference_in_count",
    "difference_in_count",
    "foreground_dice",
)


@dataclass(frozen=True)
class Score:
    """Means over validation pictures.

    Attributes
    ----------
    pictures : int
        How many there were. Means over several data sets are means of theirs, by the weights that
        the sets have in training, however many pictures each has.
    symmetric_best_dice : float
        Mean SBD, 0..1.
    absolute_difference_in_count : float
        Mean ``|DiC|``, leaves.
    difference_in_count : float
        Mean DiC, leaves.
    foreground_dice : float
        Mean Dice of plant against background, 0..1, over the pictures where either has a plant.
    data_sets : mapping of str to Score
        Scores of the data sets that this is the mean of; empty for one of them.
    """

    pictures: int
    symmetric_best_dice: float
    absolute_difference_in_count: float
    difference_in_count: float
    foreground_dice: float
    data_sets: Mapping[str, Score] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures rounded to four places, for JSON; null where there is none."""
        values = ((name, getattr(self, name)) for name in FIGURES)
        figures = {name: None if np.isnan(value) else round(value, 4) for name, value in values}
        each = {name: score.as_dict() for name, score in self.data_sets.items()}
        return {"pictures": self.pictures, **figures} | ({"data_sets": each} if each else {})


def validate(
    weights: Path,
    settings: TrainSettings,
    sources: Sequence[Source],
    segmentation: SegmentSettings | None = None,
) -> Score:
    """Score a model file on the validation pictures of a training.

    These are ``validation_images`` drawn plants, if the training has a synthetic source, and the
    labelled pictures that its other sources keep back.

    Parameters
    ----------
    weights : Path
        Model file.
    settings : TrainSettings
        Says how many plants are drawn, of which size and seed.
    sources : sequence of Source
        The training's sources.
    segmentation : SegmentSettings, optional
        Settings of the post-processing.

    Returns
    -------
    Score
        Means of the sources' means, by their weights, with the score of each.

    Raises
    ------
    InputError
        If a picture or its labels cannot be read any more.
    ModelError
        If the file is damaged, or the network gives NaN or infinite values.
    """
    device = choose_device(settings.device, "train.device")
    network = Network(weights, PredictSettings(batch_size=1), device)
    scores, shares = {}, []
    for source in sources:
        pictures = _pictures(source, settings)
        if len(pictures):
            scores[source.name] = _score(network, pictures, segmentation or SegmentSettings())
            shares.append(source.weight)
    return weighted_mean(scores, shares)


def weighted_mean(scores: Mapping[str, Score], weights: Sequence[float]) -> Score:
    """Return the mean of the scores of several data sets.

    Parameters
    ----------
    scores : mapping of str to Score
        By data set, at least one.
    weights : sequence of float
        Weight of each. Foreground Dice is averaged over the sets that have plants.
    """
    rows = [[getattr(score, name) for name in FIGURES] for score in scores.values()]
    pictures = sum(score.pictures for score in scores.values())
    return Score(pictures, **_means(rows, weights), data_sets=scores)


def _pictures(source: Source, settings: TrainSettings) -> SyntheticPlants | KeptBack:
    if source.synthetic:
        return SyntheticPlants(settings, VALIDATION, 0, settings.validation_images)
    return KeptBack(settings, source.validation)


def _score(
    network: Network, pictures: SyntheticPlants | KeptBack, segmentation: SegmentSettings
) -> Score:
    rows = [_figures(network, pictures[number], segmentation) for number in range(len(pictures))]
    return Score(len(rows), **_means(rows, np.ones(len(rows))))


def _means(
    rows: Sequence[Sequence[float]], weights: Sequence[float] | NDArray[np.float64]
) -> dict[str, Any]:
    """Return the means of the figures, each over the rows that have it; NaN if none has."""
    means = np.ma.average(np.ma.masked_invalid(np.asarray(rows, float)), axis=0, weights=weights)
    return dict(zip(FIGURES, np.ma.filled(means, np.nan).tolist(), strict=True))


def _figures(network: Network, sample: Sample, segmentation: SegmentSettings) -> list[float]:
    """Return the score's figures for one picture; Dice is NaN if both maps are empty."""
    distance, embedding = network(sample.rgb[None])
    labels = segment_leaves(distance[0], embedding[0], segmentation)
    figures = score_pair(Pair("", labels, sample.labels)).figures
    return [figures[name] for name in FIGURES]
