"""How much larger labels are than exact outlines, by `plants.edge_share` and enlargement.

    python benchmarks/edges.py > edges.json

Prints JSON: medians over drawn plants of 256 px, as shares of the plants' exact areas. Plants of
under 200 px are left out.
"""

from __future__ import annotations

import argparse
import itertools
import json

import numpy as np

from phenopipe.config import PlantSettings
from phenopipe.progress import track
from phenopipe.synth import draw as drawing
from phenopipe.synth import draw_plant

SHARES = (0.35, 0.25, 0.2)
#: Pixels of the picture over the camera's: edges of the classes.
ENLARGED = (1.0, 1.01, 1.5, 2.0, 3.0, 6.0)
SIZE, SMALLEST_PX, SEED = 256, 200, 99


def main() -> None:
    """Draw each plant with exact and with wider outlines, and print how the areas compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=600)
    options = parser.parse_args()
    frames = []
    photograph = drawing.photograph

    def remember(scene, frame, *rest):
        frames.append(frame.enlarged)
        return photograph(scene, frame, *rest)

    drawing.photograph = remember
    rows = []
    for number in track(range(options.pictures), options.pictures, "draw"):
        exact, *wide = (
            np.count_nonzero(
                draw_plant((SEED, number), PlantSettings(edge_share=share), SIZE).labels
            )
            for share in (0.5, *SHARES)
        )
        if exact >= SMALLEST_PX:
            rows.append((frames[-1], *(area / exact - 1 for area in wide)))
    enlarged, growth = np.array(rows)[:, 0], np.array(rows)[:, 1:]
    classes = {}
    for low, high in itertools.pairwise(ENLARGED):
        chosen = growth[(enlarged >= low) & (enlarged < high)]
        medians = dict(zip(map(str, SHARES), np.median(chosen, axis=0).round(4), strict=True))
        classes[f"{low:g} to {high:g}"] = {"plants": len(chosen), **medians}
    print(json.dumps({"plants": len(rows), "enlarged": classes}, indent=2))


if __name__ == "__main__":
    main()
