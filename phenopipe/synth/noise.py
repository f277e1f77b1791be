"""Random textures, cut from a bank that is made once a process and is the same in each."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.synth.image import generator

#: Side of a texture of the bank, px; textures tile without a seam.
BANK_SIDE = 512
#: Standard deviations of the blur of each octave, px.
OCTAVES = (0.0, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2)
#: Independent textures of an octave.
_COPIES = 2


@cache
def _bank() -> NDArray[np.float32]:
    """Return the bank, (octaves, copies, side, side), each texture of mean 0 and deviation 1."""
    rng = generator(20_200_714)
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(BANK_SIDE)] * 2)).astype(np.float32)
    bank = np.empty((len(OCTAVES), _COPIES, BANK_SIDE, BANK_SIDE), np.float32)
    for octave, sigma in enumerate(OCTAVES):
        gain = np.exp(-2.0 * (np.pi * sigma * frequency) ** 2)
        gain[0, 0] = 0.0
        white = rng.standard_normal(bank.shape[1:], dtype=np.float32)
        smooth = np.fft.ifft2(np.fft.fft2(white) * gain).real
        bank[octave] = smooth / smooth.std(axis=(1, 2), keepdims=True)
    return bank


def octave_noise(
    rng: np.random.Generator, shape: tuple[int, int], octave: int
) -> NDArray[np.float32]:
    """Cut smooth noise out of the bank at a random place.

    Parameters
    ----------
    rng : numpy.random.Generator
        Says where.
    shape : tuple of int
        Height and width; more than the bank's side repeats it.
    octave : int
        Index into `OCTAVES`: how coarse the noise is.

    Returns
    -------
    ndarray, (H, W), float32
        Mean about 0, deviation about 1.
    """
    texture: NDArray[np.float32] = _bank()[octave, rng.integers(_COPIES)]
    top, left = rng.integers(BANK_SIDE, size=2)
    height, width = shape
    if top + height <= BANK_SIDE and left + width <= BANK_SIDE:
        return texture[top : top + height, left : left + width]
    rows = np.arange(top, top + height) % BANK_SIDE
    cols = np.arange(left, left + width) % BANK_SIDE
    repeated: NDArray[np.float32] = texture[np.ix_(rows, cols)]
    return repeated


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], weights: tuple[float, ...]
) -> NDArray[np.float32]:
    """Add octaves of noise, finest first.

    Parameters
    ----------
    rng : numpy.random.Generator
        Says where each octave is cut.
    shape : tuple of int
        Height and width.
    weights : tuple of float
        Weight of each octave of `OCTAVES`; zeros are skipped.

    Returns
    -------
    ndarray, (H, W), float32
        Mean about 0, deviation about 1.
    """
    total = np.zeros(shape, np.float32)
    for octave, weight in enumerate(weights):
        if weight:
            piece = np.ascontiguousarray(octave_noise(rng, shape, octave))
            cv2.scaleAdd(piece, float(weight), total, total)
    norm = float(np.sqrt(np.sum(np.square(weights))))
    return total / np.float32(norm) if norm else total
