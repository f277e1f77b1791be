"""What storing predictions in 8 bits costs: SBD from float32 against SBD from uint8 and int8.

    python benchmarks/encoding.py --model default > encoding.json

Synthetic plants that no training and no validation sees are predicted once, and segmented twice:
from the network's own numbers, and from what is stored of them. Prints JSON.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from phenopipe.config import TrainSettings
from phenopipe.encoding import (
    decode_distance,
    decode_embedding,
    encode_distance,
    encode_embedding,
)
from phenopipe.evaluate import symmetric_best_dice
from phenopipe.model.find import file_sha256, find_weights
from phenopipe.predict import Network
from phenopipe.progress import track
from phenopipe.segment import segment_leaves
from phenopipe.threads import use_all_threads
from phenopipe.train.data import TEST, SyntheticPlants


def compare(network: Network, rgb: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Segment one picture from float32 and from 8 bits."""
    (distance,), (embedding,) = network(rgb[None])
    exact = segment_leaves(distance, embedding)
    stored = segment_leaves(
        decode_distance(encode_distance(distance)),
        decode_embedding(encode_embedding(embedding, distance)),
    )
    return {
        "sbd_float32": symmetric_best_dice(exact, truth),
        "sbd_stored": symmetric_best_dice(stored, truth),
        "sbd_between": symmetric_best_dice(stored, exact),
        "same_count": float(exact.max() == stored.max()),
    }


def main() -> None:
    """Compare all pictures and print the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--pictures", type=int, default=200)
    options = parser.parse_args()
    use_all_threads()
    weights = find_weights(options.model)
    network = Network(weights)
    plants = SyntheticPlants(TrainSettings(), TEST, 0, options.pictures)
    rows = []
    for number in track(range(len(plants)), len(plants), "encoding"):
        rows.append(compare(network, plants[number].rgb, plants[number].labels))
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    differences = np.array([row["sbd_stored"] - row["sbd_float32"] for row in rows])
    result = {
        "model_sha256": file_sha256(weights),
        "pictures": len(rows),
        **{name: round(value, 5) for name, value in mean.items()},
        "difference": round(float(differences.mean()), 5),
        "standard_error": round(float(differences.std(ddof=1) / np.sqrt(len(rows))), 5),
        "mean_absolute_difference": round(float(np.abs(differences).mean()), 5),
        "limit": 0.002,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
