"""How well a model does on synthetic plants that no training sees.

    python benchmarks/synthetic_test.py --model default > synthetic_test.json
    python benchmarks/synthetic_test.py --stream validation --pictures 500

The second stream is the one by which settings and weights are chosen.
Pictures are drawn with a fixed seed from a stream of their own, and measured as any picture is.
Prints JSON; figures of two models are comparable if `pictures_sha256` is the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator

from phenopipe.config import PredictSettings, TrainSettings, check_block
from phenopipe.evaluate import Pair, score_pictures, summarize_scores
from phenopipe.evaluate.read_pairs import leaf_confidence
from phenopipe.evaluate.write import summary_groups
from phenopipe.measurement import Measurer
from phenopipe.progress import track
from phenopipe.threads import use_all_threads
from phenopipe.train.data import TEST, VALIDATION, SyntheticPlants

STREAMS = {"test": TEST, "validation": VALIDATION}
FIGURES = {
    "symmetric_best_dice": "mean_sbd",
    "absolute_difference_in_count": "mean_abs_dic",
    "difference_in_count": "mean_dic",
    "foreground_dice": "mean_foreground_dice",
    "leaf_recall": "mean_leaf_recall",
    "average_precision": "average_precision",
    "average_precision_50": "average_precision_50",
    "average_precision_75": "average_precision_75",
    "plant_area_error": "median_plant_area_error",
    "leaf_area_error": "median_leaf_area_error",
}


def measure_plants(measurer: Measurer, pictures: SyntheticPlants, digest) -> Iterator[Pair]:
    """Draw and measure one plant after another, and add each to the digest."""
    for number in track(range(len(pictures)), len(pictures), "synthetic test"):
        sample = pictures[number]
        digest.update(sample.rgb.tobytes() + sample.labels.tobytes())
        name = f"plant{number:03d}"
        found = measurer.measure(sample.rgb, name)
        confidence = leaf_confidence(found.labels, found.leaves, name)
        yield Pair(name, found.labels, sample.labels, confidence)


def main() -> None:
    """Measure all pictures and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--stream", choices=STREAMS, default="test")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--crop-size", type=int)
    parser.add_argument("--precision", default="auto", help="as predict.precision")
    options = parser.parse_args()
    use_all_threads()
    settings = TrainSettings()
    predict = check_block(PredictSettings, {"precision": options.precision}, "--precision")
    measurer = Measurer.load(options.model, crop_size=options.crop_size, predict=predict)
    plants = SyntheticPlants(settings, STREAMS[options.stream], 0, options.pictures)
    digest = hashlib.sha256()
    scores = score_pictures(measure_plants(measurer, plants, digest))
    groups = {
        group["leaf_class"]: {
            "pictures": group["figures"]["symmetric_best_dice"]["images"],
            **{name: group["figures"][metric]["value"] for metric, name in FIGURES.items()},
            "sbd_interval": [group["figures"]["symmetric_best_dice"][e] for e in ("low", "high")],
        }
        for group in summary_groups(summarize_scores(scores))
    }
    result = {
        "model_sha256": measurer.provenance.model_sha256,
        "pictures_sha256": digest.hexdigest(),
        "stream": options.stream,
        "crop_size": measurer.ingest.crop_size,
        **groups.pop("all"),
        "by_true_leaves": groups,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
