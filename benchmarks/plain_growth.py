"""The paper's growth in plain Python: what the clustering is compared with."""

from __future__ import annotations

from phenopipe.segment.paper import LEAST_COSINE


def grow_plainly(
    embedding: list[list[list[float]]],
    seeds: list[tuple[int, int]],
    vectors: list[list[float]],
    *,
    whole: bool,
) -> list[list[int]]:
    """Grow seeds ring by ring, in the order of labels; a higher label overwrites a lower one.

    Only lists and numbers, no array library.

    Parameters
    ----------
    embedding : nested lists, (H, W, E)
        Unit vectors.
    seeds : list of (int, int)
        Row and column of each seed.
    vectors : list of list of float
        Unit vector of each seed.
    whole : bool
        Dilate all of a leaf in every ring, as the authors do, or only what the last ring won.

    Returns
    -------
    nested lists, (H, W)
        Labels.
    """
    labels = [[0] * len(embedding[0]) for _ in embedding]
    held = [[seed] for seed in seeds]
    for label, (row, column) in enumerate(seeds, 1):
        labels[row][column] = label
    grows = True
    while grows:
        grows = False
        for label, pixels in enumerate(held, 1):
            won = _ring(embedding, labels, label, pixels, vectors[label - 1])
            grows = grows or bool(won)
            kept = [(y, x) for y, x in pixels if labels[y][x] == label] if whole else []
            held[label - 1] = kept + won
    return labels


def _ring(
    embedding: list[list[list[float]]],
    labels: list[list[int]],
    label: int,
    pixels: list[tuple[int, int]],
    vector: list[float],
) -> list[tuple[int, int]]:
    """Give a leaf the neighbours of its pixels that agree with it; return those."""
    height, width, won = len(labels), len(labels[0]), []
    for row, column in pixels:
        for y in range(max(row - 1, 0), min(row + 2, height)):
            for x in range(max(column - 1, 0), min(column + 2, width)):
                if labels[y][x] >= label:
                    continue
                cosine = sum(a * b for a, b in zip(embedding[y][x], vector, strict=True))
                if cosine > LEAST_COSINE:
                    labels[y][x] = label
                    won.append((y, x))
    return won
