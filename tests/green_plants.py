"""Pictures of green discs on soil, and a network made by hand that finds what is green.

The network needs no training: one channel of it carries the excess green of a pixel through both
U-Nets, all else is zero. So tests know how many leaves there are, where, and how large.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from phenopipe.encoding import background_direction
from phenopipe.model.weights import save_model
from phenopipe.model.wnet import UNet, WNet

SOIL = (90, 80, 70)
DIMENSIONS = 4
#: A direction at a right angle with the background's.
LEAF = np.array([1.0, -1.0, 1.0, -1.0]) / 2
#: Leaves of `draw_pot`: column, row and radius as shares of the side.
LEAVES = ((0.30, 0.30, 0.12), (0.70, 0.35, 0.10), (0.45, 0.75, 0.14))


def green_model() -> WNet:
    """Return a network whose distance map is the excess green, and its leaves what has any."""
    model = WNet("tiny", DIMENSIONS).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.fill_(1)
        for unet in (model.distance_unet, model.embedding_unet):
            _carry_green(unet)
        # Below 1 on most of a leaf: a map without a peak fits no leaf's shape.
        model.distance_head.weight[0, 0, 1, 1] = 1.4
        model.embedding_head.weight[:, 0, 1, 1] = 20 * torch.from_numpy(LEAF)
        model.embedding_head.bias.copy_(torch.from_numpy(background_direction(DIMENSIONS)))
    return model


def _carry_green(unet: UNet) -> None:
    """Put the excess green of the centre pixel into channel 0, and carry it to the end."""
    (first, normalisation, _), second = unet.down[0][0], unet.down[0][1][0]
    first.weight[0, :3, 1, 1] = torch.tensor([-0.5, 1.0, -0.5])
    normalisation.bias[0] = -1.0  # so that a pixel half on a leaf's edge is on the brink
    for convolution in (second, unet.merge[-1][0][0], unet.merge[-1][1][0]):
        convolution.weight[0, 0, 1, 1] = 1


def draw_pot(side: int = 96, leaves: int = len(LEAVES)) -> NDArray[np.uint8]:
    """Draw a pot with so many leaves, each brightest at its centre."""
    rgb = np.full((side, side, 3), SOIL, np.uint8)
    rows, columns = np.mgrid[:side, :side]
    for x, y, radius in LEAVES[:leaves]:
        share = np.hypot(columns + 0.5 - x * side, rows + 0.5 - y * side) / (radius * side)
        green = 230 - 90 * share
        rgb[share < 1, 1] = green[share < 1]
    # Grey noise is no excess green, but keeps the picture from counting as blurred.
    noise = np.random.default_rng(leaves).integers(-20, 21, (side, side, 1))
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


def leaf_areas(side: int, leaves: int = len(LEAVES)) -> list[float]:
    """Return the areas of the leaves of `draw_pot`, px²."""
    return [np.pi * (radius * side) ** 2 for _, _, radius in LEAVES[:leaves]]


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, rgb[..., ::-1])[1].tobytes())
    return path


def write_green_model(path: Path) -> Path:
    save_model(path, green_model())
    return path
