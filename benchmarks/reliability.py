"""Whether the confidence of a leaf predicts its error: prints JSON, and draws a plot.

    python benchmarks/reliability.py --plot docs/img/reliability.svg > reliability.json

Synthetic plants that no training and no validation sees are measured as any picture is. Each leaf
found has a confidence, and an intersection over union (IoU) with the true leaf that it overlaps
most. Leaves of a bin of confidence have a mean IoU, and a share that found its true leaf (IoU at
least 0.5). A confidence that is calibrated lies on the diagonal.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from phenopipe.config import SegmentSettings, TrainSettings
from phenopipe.evaluate.matching import LEAST_IOU
from phenopipe.evaluate.overlap import Overlap
from phenopipe.evaluate.read_pairs import leaf_confidence
from phenopipe.files import write_text
from phenopipe.measurement import Measurer
from phenopipe.progress import track
from phenopipe.threads import use_all_threads
from phenopipe.train.data import TEST, SyntheticPlants

BINS = np.linspace(0, 1, 11)


def measure_leaves(
    measurer: Measurer, pictures: SyntheticPlants
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield confidence and IoU of the leaves of each picture."""
    for number in track(range(len(pictures)), len(pictures), "reliability"):
        sample = pictures[number]
        found = measurer.measure(sample.rgb, f"plant{number:03d}")
        confidence = leaf_confidence(found.labels, found.leaves, f"plant{number:03d}")
        overlap = Overlap.of(found.labels, sample.labels)
        iou = np.zeros(len(confidence))
        np.maximum.at(iou, overlap.first, overlap.iou)
        yield confidence, iou


def summarize(confidence: np.ndarray, iou: np.ndarray) -> dict[str, object]:
    """Return the reliability of some leaves: bins, rank correlation, calibration error.

    The calibration error is the mean over leaves of the distance between their bin's mean
    confidence and mean IoU.
    """
    if not len(confidence):
        return {"leaves": 0}
    place = np.clip(np.digitize(confidence, BINS) - 1, 0, len(BINS) - 2)
    bins = [_bin(BINS[k], confidence[place == k], iou[place == k]) for k in np.unique(place)]
    off = [row["leaves"] * abs(row["mean_confidence"] - row["mean_iou"]) for row in bins]
    return {
        "leaves": len(confidence),
        "mean_confidence": round(float(confidence.mean()), 4),
        "mean_iou": round(float(iou.mean()), 4),
        "rank_correlation": round(float(spearmanr(confidence, iou).statistic), 4),
        "calibration_error": round(sum(off) / len(confidence), 4),
        "bins": bins,
    }


def _bin(start: float, confidence: np.ndarray, iou: np.ndarray) -> dict[str, float]:
    return {
        "from": round(float(start), 2),
        "leaves": len(confidence),
        "mean_confidence": round(float(confidence.mean()), 4),
        "mean_iou": round(float(iou.mean()), 4),
        "share_found": round(float((iou >= LEAST_IOU).mean()), 4),
    }


def draw(result: dict[str, object], path: Path) -> None:
    """Write an SVG of the bins: mean IoU and the share found against confidence."""
    side, margin = 360, 46

    def place(x: float, y: float) -> str:
        return f"{margin + x * side:.1f},{margin + (1 - y) * side:.1f}"

    ticks = [
        f'<text x="{margin + t * side:.0f}" y="{margin + side + 18}" text-anchor="middle">{t:g}'
        f'</text><text x="{margin - 8}" y="{margin + (1 - t) * side + 4:.0f}" text-anchor="end">'
        f"{t:g}</text>"
        for t in (0, 0.2, 0.4, 0.6, 0.8, 1)
    ]
    lines = []
    for name, colour, label in (
        ("mean_iou", "#1b7837", "mean IoU"),
        ("share_found", "#762a83", f"share with IoU of at least {LEAST_IOU}"),
    ):
        at = [place(row["mean_confidence"], row[name]) for row in result["bins"]]
        dots = "".join(
            f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
            for x, y in (point.split(",") for point in at)
        )
        y = margin + 20 + 20 * len(lines)
        lines.append(
            f'<polyline points="{" ".join(at)}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'{dots}<text x="{margin + 12}" y="{y}" fill="{colour}">{label}</text>'
        )
    whole = side + 2 * margin
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" \
font-family="sans-serif" font-size="13">
<rect width="{whole}" height="{whole}" fill="white"/>
<rect x="{margin}" y="{margin}" width="{side}" height="{side}" fill="none" stroke="#888"/>
<polyline points="{place(0, 0)} {place(1, 1)}" stroke="#bbb" stroke-dasharray="5 5"/>
{"".join(ticks)}
<text x="{whole / 2}" y="{whole - 8}" text-anchor="middle">confidence of the leaf</text>
{"".join(lines)}
</svg>
"""
    write_text(path, svg)


def main() -> None:
    """Measure all pictures, print the figures, draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--plot", type=Path, help="SVG to write")
    options = parser.parse_args()
    use_all_threads()
    # Leaves of any confidence: those that are removed belong to the study too.
    measurer = Measurer.load(options.model, segment=SegmentSettings(min_confidence=0))
    plants = SyntheticPlants(TrainSettings(), TEST, 0, options.pictures)
    parts = list(measure_leaves(measurer, plants))
    confidence, iou = (np.concatenate(values) for values in zip(*parts, strict=True))
    result = {
        "model_sha256": measurer.provenance.model_sha256,
        "pictures": options.pictures,
        **summarize(confidence, iou),
    }
    if options.plot and len(confidence):
        draw(result, options.plot)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
