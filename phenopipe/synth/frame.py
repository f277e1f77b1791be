"""What of a pot a picture shows, and how sharply: the whole of it, or a crop close to its plant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Widths of a whole pot in the camera's pixels: from a seedling tray seen from far to one pot.
POT_PX = (120.0, 1400.0)
#: A camera's pixel is at most so many pixels of a picture wide.
MOST_UPSAMPLED = 5.0
#: Extent of the plant of a close picture over the side, and how far off its middle it may lie.
CLOSE_EXTENT = (0.5, 0.97)
OFF_CENTRE = 0.04


@dataclass(frozen=True)
class Frame:
    """A picture's window on the pot.

    Attributes
    ----------
    size : int
        Side of the picture, px.
    zoom : float
        Side of the pot over the picture's, at least about 1.
    enlarged : float
        Pixels of the picture over the camera's, at least 1.
    """

    size: int
    zoom: float = 1.0
    enlarged: float = 1.0

    @property
    def camera_side(self) -> int:
        """Side of the picture in the camera's own pixels."""
        return max(8, round(self.size / self.enlarged))


def most_off_centre(extent: float) -> float:
    """Return how far off the middle a whole plant may lie, over the side, as its extent is."""
    return min(OFF_CENTRE, (1.0 - extent) / 2)


def close_frame(rng: np.random.Generator, size: int, leaves: int, extent: float) -> Frame:
    """Draw the window of a crop around a plant; a young plant is small in its pot.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    size : int
        Side of the picture, px.
    leaves : int
        The plant's leaves.
    extent : float
        The plant's extent over the picture's side.

    Returns
    -------
    Frame
        Mostly as sharp as the camera's pictures; up to `MOST_UPSAMPLED` times enlarged where a
        plant of few leaves spans few of the camera's pixels.
    """
    in_pot = float(np.clip(0.055 * leaves * np.exp(rng.normal(0.0, 0.35)), 0.06, 1.05))
    zoom = max(1.0, extent / in_pot)
    pot_px = np.exp(rng.uniform(*np.log(POT_PX)))
    # Many leaves on a plant of few pixels could not be told apart by anybody.
    most = min(MOST_UPSAMPLED, extent * size / (5.0 * leaves))
    enlarged = float(np.clip(zoom * size / pot_px, 1.0, max(1.0, most)))
    return Frame(size, zoom, enlarged)
