"""Draw the contact sheets of docs/synthetic-plants.md again, on drawn soils only.

Run as ``python benchmarks/synth_sheet.py [--out docs/img]``; the sheets stay the same until drawing
changes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.config import PlantSettings, SynthSettings
from phenopipe.synth import SyntheticImage, draw_plant
from phenopipe.synth.greenhouse import draw_shot
from phenopipe.synth.roster import night_shots

CLOSE = PlantSettings(empty_share=0.0, close_share=1.0)
WHOLE = PlantSettings(close_share=0.0)
#: Pictures in a row of a sheet, and their side.
COLUMNS, SIDE = 8, 160
NIGHTS = range(0, 16, 2)


def colours(count: int) -> NDArray[np.uint8]:
    """Return a colour for each label, black for 0; neighbours in number differ in hue."""
    hue = (np.arange(count) * 0.381966 % 1.0 * 180.0).astype(np.uint8)
    bright = np.where(np.arange(count) % 2, 255, 190).astype(np.uint8)
    hsv = np.stack([hue, np.full_like(hue, 170), bright], axis=-1)
    table = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    table[0] = 0
    return np.asarray(table, np.uint8)


def rows(pictures: Sequence[SyntheticImage]) -> NDArray[np.uint8]:
    """Lay out pictures in rows, the label maps of each row below it."""
    table = colours(400)
    lines = []
    for first in range(0, len(pictures), COLUMNS):
        row = pictures[first : first + COLUMNS]
        lines.append(np.hstack([picture.rgb for picture in row]))
        lines.append(np.hstack([table[picture.labels] for picture in row]))
    return np.vstack(lines)


def drawn(settings: PlantSettings, stream: int, count: int) -> list[SyntheticImage]:
    """Draw training pictures."""
    return [draw_plant((stream, number), settings, SIDE) for number in range(count)]


def growing(plants: int) -> list[SyntheticImage]:
    """Draw plants of the demo's greenhouse every other night, a row each."""
    settings = SynthSettings(plants=plants, image_size=SIDE, empty_pots=0, broken_files=0)
    shots = night_shots(settings, 0)
    return [draw_shot(settings, night, shot) for shot in shots for night in NIGHTS]


def main() -> None:
    """Read the arguments, draw, write three JPEG files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/img"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    sheets = {
        "synthetic-close.jpg": drawn(CLOSE, 1, 3 * COLUMNS),
        "synthetic-whole.jpg": drawn(WHOLE, 2, 2 * COLUMNS),
        "synthetic-nights.jpg": growing(2),
    }
    for name, pictures in sheets.items():
        sheet = np.ascontiguousarray(rows(pictures)[..., ::-1])
        if not cv2.imwrite(str(out / name), sheet, [cv2.IMWRITE_JPEG_QUALITY, 78]):
            raise OSError(f"{out / name}: cannot be written")


if __name__ == "__main__":
    main()
