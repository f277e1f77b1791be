"""How well a model does on real pictures that it has never seen a label of.

    python benchmarks/real_pictures.py > real_pictures.json

The pictures are described in docs/real-pictures.md. For each folder: what was measured, as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from skimage.segmentation import expand_labels

from phenopipe.evaluate import Pair, figure, foreground_dice, score_pictures, summarize_scores
from phenopipe.evaluate.pair_files import pair_files
from phenopipe.evaluate.read_pairs import measure_pairs
from phenopipe.measurement import Measurer
from phenopipe.model.find import file_sha256, find_weights
from phenopipe.threads import use_all_threads

ROOT = Path(__file__).resolve().parents[1]


def leaf_series(measurer: Measurer, folder: Path) -> dict:
    """Score leaves against label maps whose edges are 1-2 px tight and lack most petioles.

    What the tight labels cost is in the further scores: against labels grown into the background,
    and of what is left of the prediction near the labels.
    """
    pairs = list(measure_pairs(pair_files(folder), measurer))
    scores = score_pictures(pairs)
    images, summary = scores.images, summarize_scores(scores, resamples=0)
    grown = {f"truth_dilated_{px}px": [grow_truth(pair, px) for pair in pairs] for px in (1, 2)}
    near = [keep_near_truth(pair, 2) for pair in pairs]
    return {
        "pictures": len(images),
        "mean_sbd": mean(images, "symmetric_best_dice"),
        "mean_abs_dic": mean(images, "absolute_difference_in_count"),
        "dic": images["difference_in_count"].astype(int).tolist(),
        "mean_foreground_dice": mean(images, "foreground_dice"),
        "mean_leaf_recall": mean(images, "leaf_recall"),
        "average_precision": round(figure(summary, "average_precision"), 4),
        **{f"mean_sbd_{name}": mean_sbd(changed) for name, changed in grown.items()},
        "mean_sbd_prediction_within_truth_dilated_2px": mean_sbd(near),
    }


def grow_truth(pair: Pair, px: int) -> Pair:
    """Let the true leaves grow by so many pixels where there is background."""
    return replace(pair, truth=expand_labels(pair.truth, px))


def keep_near_truth(pair: Pair, px: int) -> Pair:
    """Cut the prediction to the true foreground grown by so many pixels."""
    near = expand_labels(pair.truth, px) > 0
    return replace(pair, prediction=np.where(near, pair.prediction, 0), confidence=None)


def mean_sbd(pairs: list[Pair]) -> float:
    """Return the mean SBD of some pairs."""
    return mean(score_pictures(pairs).images, "symmetric_best_dice")


def mean(images: pd.DataFrame, metric: str) -> float:
    """Return the mean of a figure over pictures, rounded."""
    return round(float(images[metric].mean()), 4)


def rosette_masks(measurer: Measurer, folder: Path) -> dict:
    """Score the plant against rosette masks, as they are and at the best shift within 1 px."""
    dice, shifted, errors = [], [], []
    for picture in sorted(folder.glob("*_rgb.png")):
        found = measurer.measure(picture)
        mask = cv2.imread(str(picture).replace("_rgb.png", "_fg.png"), cv2.IMREAD_GRAYSCALE)
        height, width = found.labels.shape
        truth = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST) > 0
        plant = found.labels > 0
        shifts = [np.roll(plant, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        dice.append(foreground_dice(plant, truth))
        shifted.append(max(foreground_dice(moved, truth) for moved in shifts))
        area = float(found.plants["plant_area_px"].iloc[0])
        errors.append(abs(area - truth.sum()) / truth.sum())
    return {
        "pictures": len(dice),
        "mean_foreground_dice": round(float(np.mean(dice)), 4),
        "mean_foreground_dice_best_shift": round(float(np.mean(shifted)), 4),
        "median_area_error": round(float(np.median(errors)), 4),
    }


def empty_pots(measurer: Measurer, folder: Path) -> dict:
    """Count pots without a plant in which a leaf is found."""
    counts = [int(measurer.measure(p).plants["leaf_count"].iloc[0]) for p in folder.glob("*.png")]
    return {"pictures": len(counts), "share_with_a_leaf": float(np.mean(np.array(counts) > 0))}


def main() -> None:
    """Measure all folders and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--crop-size", type=int)
    default = os.environ.get("PHENOPIPE_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"no real pictures at {options.data}: give --data or set PHENOPIPE_DATA")
    use_all_threads()
    measurer = Measurer.load(options.model, crop_size=options.crop_size)
    figures = {
        "model_sha256": file_sha256(find_weights(options.model)),
        "leaf_series_plant17": leaf_series(measurer, options.data / "leaf_series_plant17"),
        "is1_rep38": rosette_masks(measurer, options.data / "is1_rep38"),
        "soil_pots": empty_pots(measurer, options.data / "soil_pots"),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
