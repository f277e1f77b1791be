"""How well a model does on real pictures that it has never seen a label of.

    python benchmarks/real_pictures.py > real_pictures.json
    python benchmarks/real_pictures.py --plot docs/img/real-pictures.png   # needs Chromium

The pictures are described in docs/real-pictures.md. For each folder: what was measured, as JSON;
``by_picture`` has the numbers of each picture, in the order of time.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from chart_png import save_png
from plotly.subplots import make_subplots
from skimage.segmentation import expand_labels

from phenopipe.evaluate import Pair, figure, foreground_dice, score_pictures, summarize_scores
from phenopipe.evaluate.pair_files import pair_files
from phenopipe.evaluate.read_pairs import measure_pairs
from phenopipe.measurement import Measurer
from phenopipe.model.find import file_sha256, find_weights
from phenopipe.report.charts import PALETTE
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
        "mean_foreground_dice": mean(images, "foreground_dice"),
        "mean_leaf_recall": mean(images, "leaf_recall"),
        "average_precision": round(figure(summary, "average_precision"), 4),
        **{f"mean_sbd_{name}": mean_sbd(changed) for name, changed in grown.items()},
        "mean_sbd_prediction_within_truth_dilated_2px": mean_sbd(near),
        "by_picture": {
            "true_leaves": [len(np.unique(pair.truth)) - 1 for pair in pairs],
            "counted_leaves": [len(np.unique(pair.prediction)) - 1 for pair in pairs],
        },
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
    dice, shifted = [], []
    days, true_areas, areas, counts = [], [], [], []
    for picture in sorted(folder.glob("*_rgb.png")):
        found = measurer.measure(picture)
        mask = cv2.imread(str(picture).replace("_rgb.png", "_fg.png"), cv2.IMREAD_GRAYSCALE)
        height, width = found.labels.shape
        truth = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST) > 0
        plant = found.labels > 0
        shifts = [np.roll(plant, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        dice.append(foreground_dice(plant, truth))
        shifted.append(max(foreground_dice(moved, truth) for moved in shifts))
        days.append(taken_at(picture))
        true_areas.append(int(truth.sum()))
        areas.append(round(float(found.plants["plant_area_px"].iloc[0])))
        counts.append(int(found.plants["leaf_count"].iloc[0]))
    errors = np.abs(np.subtract(areas, true_areas)) / true_areas
    return {
        "pictures": len(dice),
        "mean_foreground_dice": round(float(np.mean(dice)), 4),
        "mean_foreground_dice_best_shift": round(float(np.mean(shifted)), 4),
        "median_area_error": round(float(np.median(errors)), 4),
        "by_picture": {
            "day": [round((day - days[0]).total_seconds() / 86400, 3) for day in days],
            "mask_px": true_areas,
            "plant_area_px": areas,
            "counted_leaves": counts,
        },
    }


def taken_at(picture: Path) -> datetime:
    """Read the time from a name such as ``1000775_2022_08_02_17_01_08-7-1-TD05-..._rgb.png``."""
    return datetime.strptime(picture.name.split("-")[0].split("_", 1)[1], "%Y_%m_%d_%H_%M_%S")


def empty_pots(measurer: Measurer, folder: Path) -> dict:
    """Count pots without a plant in which a leaf is found."""
    counts = [int(measurer.measure(p).plants["leaf_count"].iloc[0]) for p in folder.glob("*.png")]
    return {"pictures": len(counts), "share_with_a_leaf": float(np.mean(np.array(counts) > 0))}


def plot(figures: dict, path: Path) -> None:
    """Draw counts and areas beside what is known of them."""
    titles = "one plant: leaves", "another: rosette area, px", "the same: leaves"
    figure = make_subplots(1, 3, subplot_titles=titles, horizontal_spacing=0.07)
    series = figures["leaf_series_plant17"]["by_picture"]
    rosette = figures["is1_rep38"]["by_picture"]
    shots = list(range(1, len(series["true_leaves"]) + 1))
    lines = [
        (1, shots, series["true_leaves"], "known", "lines+markers"),
        (1, shots, series["counted_leaves"], "measured", "markers"),
        (2, rosette["day"], rosette["mask_px"], "known", "lines"),
        (2, rosette["day"], rosette["plant_area_px"], "measured", "markers"),
        (3, rosette["day"], rosette["counted_leaves"], "measured", "markers"),
    ]
    for column, x, y, name, mode in lines:
        colour = PALETTE[name == "measured"]
        figure.add_scatter(
            **{"x": x, "y": y, "name": name, "mode": mode, "showlegend": column == 1},
            marker={"color": colour, "size": 6},
            row=1,
            col=column,
        )
    figure.update_xaxes(title_text="day")
    figure.update_yaxes(type="log", dtick=1, row=1, col=2)
    figure.update_layout(template="plotly_white", legend={"orientation": "h", "y": -0.2})
    save_png(figure, path, width=1200, height=380)


def main() -> None:
    """Measure all folders and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--crop-size", type=int)
    parser.add_argument("--plot", type=Path, help="PNG with plots of the numbers")
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
    if options.plot:
        plot(figures, options.plot)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
