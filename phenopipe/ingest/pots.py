"""Where the pots of an image are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from phenopipe.config import PotLayout


@dataclass(frozen=True)
class PotBox:
    """The pixels of one pot: columns left to right - 1, rows top to bottom - 1.

    Attributes
    ----------
    name : str
        "A1" (row A, column 1) in a grid, else "1", "2", ...
    left, top, right, bottom : int
        Half-open box in pixels of the image, within the image; empty where the pot lies outside.
    """

    name: str
    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns of the box, px."""
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        """Rows of the box, px."""
        return max(0, self.bottom - self.top)


def pot_boxes(layout: PotLayout | None, height: int, width: int) -> list[PotBox]:
    """Return the boxes of all pots of an image, cut off at its edges.

    Coordinates of the layout count from the outer corner of the image's top left pixel. The cells
    of a grid that is not quite upright become upright boxes through the middles of their sides.

    Parameters
    ----------
    layout : PotLayout or None
        The camera's pots; None takes the whole image as one pot named "1".
    height, width : int
        Size of the image, px.

    Returns
    -------
    list of PotBox
        Row by row, or in the order of the list of boxes; always as many as the layout has.

    Examples
    --------
    >>> pot_boxes(None, 40, 60)
    [PotBox(name='1', left=0, top=0, right=60, bottom=40)]
    """
    if layout is None:
        return [PotBox("1", 0, 0, width, height)]
    named = _cells(layout) if layout.boxes is None else _listed(layout)
    limit = np.array([width, height, width, height])
    return [
        PotBox(name, *np.clip(np.rint(box), 0, limit).astype(int).tolist()) for name, box in named
    ]


def pot_names(layout: PotLayout | None) -> list[str]:
    """Return the names of a layout's pots, in the order of :func:`pot_boxes`."""
    return [box.name for box in pot_boxes(layout, 0, 0)]


def _listed(layout: PotLayout) -> Iterator[tuple[str, np.ndarray]]:
    for number, box in enumerate(layout.boxes or [], start=1):
        yield str(number), np.array(box)


def _cells(layout: PotLayout) -> Iterator[tuple[str, np.ndarray]]:
    rows, cols = layout.rows or 1, layout.cols or 1
    nodes = _nodes(np.array(layout.corners), rows, cols)
    for row in range(rows):
        for col in range(cols):
            cell = nodes[row : row + 2, col : col + 2]
            start, end = cell[:, 0, 0].mean(), cell[:, 1, 0].mean()
            top, bottom = cell[0, :, 1].mean(), cell[1, :, 1].mean()
            yield f"{_letters(row)}{col + 1}", np.array([start, top, end, bottom])


def _nodes(corners: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Return the grid's crossings (rows + 1, cols + 1, 2) between its corners."""
    down = np.linspace(0, 1, rows + 1)[:, None, None]
    right = np.linspace(0, 1, cols + 1)[None, :, None]
    top_left, top_right, bottom_right, bottom_left = corners
    upper = top_left * (1 - right) + top_right * right
    lower = bottom_left * (1 - right) + bottom_right * right
    return np.asarray(upper * (1 - down) + lower * down)


def _letters(row: int) -> str:
    """Return A..Z, AA, AB, ... as in spreadsheets."""
    text = ""
    row += 1
    while row:
        row, letter = divmod(row - 1, 26)
        text = chr(ord("A") + letter) + text
    return text
