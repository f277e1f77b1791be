"""Score a model on synthetic pictures that no training sees."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from phenopipe.config import PredictSettings, SegmentSettings, TrainSettings
from phenopipe.evaluate import difference_in_count, foreground_dice, symmetric_best_dice
from phenopipe.predict import Network
from phenopipe.segment import segment_leaves
from phenopipe.train.data import VALIDATION, SyntheticPlants


@dataclass(frozen=True)
class Score:
    """Means over the validation pictures.

    Attributes
    ----------
    pictures : int
        How many there were.
    symmetric_best_dice : float
        Mean SBD, 0..1.
    absolute_difference_in_count : float
        Mean ``|DiC|``, leaves.
    difference_in_count : float
        Mean DiC, leaves.
    foreground_dice : float
        Mean Dice of plant against background, 0..1.
    """

    pictures: int
    symmetric_best_dice: float
    absolute_difference_in_count: float
    difference_in_count: float
    foreground_dice: float

    def as_dict(self) -> dict[str, float]:
        """Return the figures rounded to four places, for JSON."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def validate(
    weights: Path, settings: TrainSettings, segmentation: SegmentSettings | None = None
) -> Score:
    """Score a model file on the validation pictures of a training.

    Parameters
    ----------
    weights : Path
        Model file.
    settings : TrainSettings
        Says how many pictures, of which size, seed and plants.
    segmentation : SegmentSettings, optional
        Settings of the post-processing.

    Returns
    -------
    Score
        Means over the pictures.
    """
    network = Network(weights, PredictSettings(batch_size=1))
    pictures = SyntheticPlants(settings, VALIDATION, 0, settings.validation_images)
    rows = []
    for number in range(len(pictures)):
        sample = pictures[number]
        distance, embedding = network(sample.rgb[None])
        labels = segment_leaves(distance[0], embedding[0], segmentation or SegmentSettings())
        count = difference_in_count(labels, sample.labels)
        rows.append(
            (
                symmetric_best_dice(labels, sample.labels),
                abs(count),
                count,
                foreground_dice(labels, sample.labels) if sample.labels.any() else np.nan,
            )
        )
    means = np.nanmean(np.asarray(rows, float), axis=0)
    return Score(len(rows), *(float(mean) for mean in means))
