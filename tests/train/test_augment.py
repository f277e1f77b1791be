"""Augmentation: repeatable, leaves stay where their pixels are, views mostly around the plant."""

from __future__ import annotations

import numpy as np

from phenopipe.train.augment import augment, draw_view, relight

SIZE = 64


def disc(shape: tuple[int, int], y: float, x: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


LABELS = np.zeros((120, 160), np.uint16)
for number, (y, x) in enumerate(((50, 70), (50, 100), (75, 85)), start=1):
    LABELS[disc(LABELS.shape, y, x, 13)] = number
RGB = np.where(LABELS[..., None] > 0, [40, 160, 50], [110, 80, 60]).astype(np.uint8)


def show(seed: int) -> tuple[np.ndarray, np.ndarray]:
    return augment(RGB, LABELS, SIZE, np.random.default_rng(seed))


def test_one_seed_gives_one_picture_and_another_another() -> None:
    (first, labels), (again, same) = show(5), show(5)
    assert np.array_equal(first, again)
    assert np.array_equal(labels, same)
    assert not np.array_equal(first, show(6)[0])
    assert first.shape == (SIZE, SIZE, 3)
    assert first.dtype == np.uint8


def test_labels_move_with_their_pixels() -> None:
    agreement = []
    for seed in range(40):
        rgb, labels = show(seed)
        colour = rgb.astype(int)
        green = 2 * colour[..., 1] - colour[..., 0] - colour[..., 2] > 40
        # Between green leaves and brown soil the middle of the light's and camera's changes lies.
        inside, outside = green[labels > 0].mean(), green[labels == 0].mean()
        agreement.append(inside - outside)
    assert np.mean(agreement) > 0.9
    assert min(agreement) > 0.6


def test_most_views_show_the_plant_close_and_some_the_whole_picture_or_a_part() -> None:
    extents = []
    for seed in range(400):
        view = draw_view(LABELS, SIZE, np.random.default_rng(seed))
        points = np.argwhere(LABELS > 0)[:, ::-1] - view.centre
        along = points @ view.axes
        inside = (np.abs(along) <= view.side / 2).all(axis=1).mean()
        extents.append((np.ptp(along, axis=0).max() / view.side, inside, view.side))
    extent, inside, side = np.array(extents).T
    whole, cut = side == 160, extent > 0.975
    close = ~whole & ~cut
    assert 0.1 < whole.mean() < 0.2
    assert 0.05 < cut.mean() < 0.15
    assert extent[close].min() > 0.45
    assert extent[close].max() < 0.98
    assert inside[close].min() == 1
    assert inside[cut].min() > 0.1


def test_cut_leaves_keep_labels_and_all_orientations_turn_up() -> None:
    numbers, quadrants = set(), set()
    for seed in range(60):
        view = draw_view(LABELS, SIZE, np.random.default_rng(seed))
        quadrants.add((np.linalg.det(view.axes) > 0, *(np.sign(view.axes[:, 0].round(6)))))
        numbers |= set(np.unique(show(seed)[1]).tolist())
    assert numbers == {0, 1, 2, 3}
    assert len(quadrants) > 8


def test_a_picture_without_a_leaf_is_shown_whole() -> None:
    for seed in range(20):
        view = draw_view(LABELS * 0, SIZE, np.random.default_rng(seed))
        assert view.side == max(LABELS.shape)
    _, labels = augment(RGB, LABELS * 0, SIZE, np.random.default_rng(1))
    assert labels.max() == 0


def test_light_changes_within_bounds() -> None:
    grey = np.full((32, 32, 3), 120, np.uint8)
    means = [relight(grey, np.random.default_rng(seed)).mean() for seed in range(60)]
    assert np.std(means) > 5
    assert min(means) > 60
    assert max(means) < 200
