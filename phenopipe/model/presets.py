"""Named sizes of the W-Net."""

from __future__ import annotations

from dataclasses import dataclass

from phenopipe.errors import ModelError


@dataclass(frozen=True)
class Preset:
    """Shape of both U-Nets.

    Attributes
    ----------
    widths : tuple of int
        Feature maps of each level, finest first; one pooling between two levels.
    normalise : bool
        Whether a batch normalisation follows each convolution (folded away for inference).
    dropout : float
        Dropout at the two deepest levels.
    upsampling_kernel : int
        Kernel of the convolution that goes with an upsampling: 2 after it, as the paper's
        authors do, or 1 before it, which commutes with nearest upsampling and costs a quarter.
    stem : int
        Squares of so many pixels a side are the finest level's pixels: they go in, and come out
        of the heads, as further channels (pixel shuffle). 1 is the paper's.

    References
    ----------
    W. Shi et al.: Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network. CVPR 2016 (pixel shuffle).
    """

    widths: tuple[int, ...]
    normalise: bool
    dropout: float
    upsampling_kernel: int
    stem: int

    @property
    def stride(self) -> int:
        """Side lengths must be multiples of this; the network pads to it."""
        return int(self.stem * 2 ** (len(self.widths) - 1))


PRESETS = {
    "paper": Preset((32, 64, 128, 256, 512), False, 0.5, 2, 1),
    "medium": Preset((32, 64, 128, 256, 256), True, 0.0, 1, 1),
    "small": Preset((32, 64, 128, 128), True, 0.0, 1, 2),
    "tiny": Preset((8, 16, 32, 64, 64), True, 0.0, 1, 1),
}


def get_preset(name: str) -> Preset:
    """Return a preset by name.

    Raises
    ------
    ModelError
        If there is no such preset.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise ModelError(f"no network preset {name!r}; there are {', '.join(PRESETS)}") from None
