"""The drawn plants' colours hold those of real ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from phenopipe.config import PlantSettings
from phenopipe.synth import draw_plant


def hsv(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the colours of a mask's pixels."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)[mask].astype(float)


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    settings = PlantSettings(empty_share=0.0)
    pictures = [draw_plant((4, number), settings, 64) for number in range(150)]
    return np.concatenate([hsv(picture.rgb, picture.labels > 0) for picture in pictures])


@pytest.mark.data
@pytest.mark.parametrize(
    ("pictures", "masks"),
    [("leaf_series_plant17/*_rgb.jpg", "_label.png"), ("is1_rep38/*_rgb.png", "_fg.png")],
)
def test_colours_hold_those_of_real_plants(data_folder: Path, drawn, pictures, masks):
    real = []
    for path in sorted(data_folder.glob(pictures))[::5]:
        mask = cv2.imread(str(path.with_name(path.name.split("_rgb")[0] + masks)), -1)
        rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        real.append(hsv(rgb, cv2.resize(mask, rgb.shape[1::-1], interpolation=0) > 0))
    low, high = np.quantile(np.concatenate(real), [0.1, 0.9], axis=0)
    ours = np.quantile(drawn, [0.05, 0.95], axis=0)
    assert (ours[0] <= low).all()
    assert (ours[1] >= high).all()


def test_some_plants_are_dark_and_some_bright():
    """A growth room's pictures are half as bright as those under lamps."""
    settings = PlantSettings(empty_share=0.0)
    means = [
        hsv(picture.rgb, picture.labels > 0)[:, 2].mean() / 255
        for picture in (draw_plant((5, number), settings, 64) for number in range(80))
        if picture.labels.any()
    ]
    assert np.quantile(means, 0.15) < 0.35
    assert np.quantile(means, 0.85) > 0.5
