"""Training pictures: exact labels, the same for the same seed, on real soil where asked for."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label as connected

from phenopipe.config import PlantSettings
from phenopipe.errors import InputError
from phenopipe.synth import SyntheticImage, draw_plant
from phenopipe.synth.labels import smallest_piece

SIZE = 96
PLANTS = PlantSettings(empty_share=0.0)


def digest(picture: SyntheticImage) -> str:
    return hashlib.sha256(picture.rgb.tobytes() + picture.labels.tobytes()).hexdigest()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**40), size=st.integers(48, 160))
def test_any_seed_gives_a_whole_picture(seed, size):
    picture = draw_plant(seed, PLANTS, size)
    assert picture.rgb.shape == (size, size, 3)
    assert picture.rgb.dtype == np.uint8
    assert picture.labels.shape == (size, size)
    assert picture.labels.dtype == np.uint16
    present = np.unique(picture.labels[picture.labels > 0])
    assert present.tolist() == list(range(1, present.size + 1))
    assert present.size <= PLANTS.max_leaves


def test_seed_says_all():
    first, again = draw_plant((3, 7), PLANTS, SIZE), draw_plant([3, 7], PLANTS, SIZE)
    other = draw_plant((3, 8), PLANTS, SIZE)
    assert digest(first) == digest(again)
    assert digest(first) != digest(other)


def test_earlier_pictures_do_not_matter():
    alone = (
        "import hashlib; from phenopipe.config import PlantSettings;"
        "from phenopipe.synth import draw_plant;"
        f"p = draw_plant(12, PlantSettings(empty_share=0.0), {SIZE});"
        "print(hashlib.sha256(p.rgb.tobytes() + p.labels.tobytes()).hexdigest())"
    )
    for seed in (10, 11):
        draw_plant(seed, PLANTS, SIZE)
    here = digest(draw_plant(12, PLANTS, SIZE))
    run = subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == here


def test_no_remnants_of_hidden_leaves():
    crowded = PlantSettings(min_leaves=20, max_leaves=30, empty_share=0.0)
    for seed in range(12):
        labels = draw_plant(seed, crowded, 128).labels
        sizes = np.bincount(connected(labels, background=0, connectivity=2).ravel())[1:]
        assert sizes.min() >= smallest_piece(128)


def test_leaves_are_nearly_connected():
    pieces = []
    for seed in range(30):
        labels = draw_plant(seed, PLANTS, 128).labels
        pieces += [connected(labels == k, connectivity=2).max() for k in range(1, labels.max() + 1)]
    assert np.mean(np.array(pieces) == 1) > 0.85
    assert max(pieces) <= 6


def test_edges_make_leaves_larger_and_change_nothing_else():
    growth = []
    for seed in range(40):
        exact, wide = (
            draw_plant(seed, PlantSettings(empty_share=0.0, edge_share=share), 128)
            for share in (0.5, 0.2)
        )
        np.testing.assert_array_equal(exact.rgb, wide.rgb)
        leaf = exact.labels > 0
        np.testing.assert_array_equal(wide.labels[leaf], exact.labels[leaf])
        assert wide.labels.max() == exact.labels.max()
        growth.append((wide.labels > 0).sum() / max(leaf.sum(), 1) - 1)
    assert 0.01 < np.median(growth) < 0.15


def test_what_padding_hides_is_no_leaf(monkeypatch):
    monkeypatch.setattr("phenopipe.synth.draw.PADDED_SHARE", 1.0)
    cut = 0
    for seed in range(20):
        picture = draw_plant(seed, PlantSettings(empty_share=0.0, close_share=1.0), 128)
        black = ~picture.rgb.any(axis=2)
        rows, cols = black.all(axis=1), black.all(axis=0)
        assert not picture.labels[rows].any()
        assert not picture.labels[:, cols].any()
        cut += picture.labels[~rows][[0, -1]].any() or picture.labels[:, ~cols][:, [0, -1]].any()
    assert cut > 3


@pytest.mark.parametrize("leaves", [1, 2, 5])
def test_few_leaves_are_all_seen(leaves):
    fixed = PlantSettings(min_leaves=leaves, max_leaves=leaves, empty_share=0.0)
    counts = [int(draw_plant(seed, fixed, 192).labels.max()) for seed in range(12)]
    assert max(counts) == leaves
    assert np.median(counts) == leaves


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (1.0, 120, 120), (0.3, 22, 52)])
def test_share_of_empty_pots(share, low, high):
    drawn = PlantSettings(empty_share=share)
    empty = sum(not draw_plant((5, seed), drawn, 128).labels.any() for seed in range(120))
    assert low <= empty <= high


def test_plants_come_small_and_large():
    plants = PlantSettings(empty_share=0.0, close_share=0.0)
    width = []
    for seed in range(60):
        cols = np.flatnonzero((draw_plant(seed, plants, 128).labels > 0).any(axis=0))
        width.append(np.ptp(cols) / 128 if cols.size else 0.0)
    assert np.quantile(width, 0.1) < 0.2
    assert np.quantile(width, 0.95) > 0.65


def test_leaves_are_greener_than_what_lies_behind():
    greener = []
    for seed in range(60):
        picture = draw_plant(seed, PLANTS, 128)
        red, green, blue = np.moveaxis(picture.rgb.astype(float), -1, 0)
        excess = (2 * green - red - blue) / (red + green + blue + 1)
        leaf = picture.labels > 0
        if leaf.any():
            greener.append(excess[leaf].mean() - excess[~leaf].mean())
    assert np.mean(np.array(greener) > 0) > 0.9
    assert np.median(greener) > 0.1


class TestSoilFolder:
    def soils(self, folder) -> PlantSettings:
        folder.mkdir(exist_ok=True)
        return PlantSettings(empty_share=1.0, soil_folder=str(folder))

    def test_about_half_of_the_pictures_lie_on_it(self, tmp_path):
        magenta = np.full((80, 70, 3), (160, 0, 160), np.uint8)
        drawn = self.soils(tmp_path / "soil")
        cv2.imwrite(str(tmp_path / "soil" / "a.png"), magenta)
        (tmp_path / "soil" / "notes.txt").write_text("not a picture")
        on_it = 0
        for seed in range(80):
            red, green, blue = draw_plant(seed, drawn, 48).rgb.reshape(-1, 3).mean(axis=0)
            on_it += min(red, blue) > green + 25
        assert 25 <= on_it <= 55

    @pytest.mark.parametrize("content", [None, "text"])
    def test_folder_without_pictures_is_named(self, tmp_path, content):
        drawn = self.soils(tmp_path / "bare")
        if content:
            (tmp_path / "bare" / "soil.png").write_text(content)
        with pytest.raises(InputError, match=r"soil_folder: .*bare.* no readable picture") as error:
            for seed in range(20):
                draw_plant(seed, drawn, 48)
        assert "\n" not in str(error.value)

    def test_missing_folder_is_named(self, tmp_path):
        drawn = PlantSettings(soil_folder=str(tmp_path / "nowhere"))
        with pytest.raises(InputError, match="nowhere"):
            for seed in range(20):
                draw_plant(seed, drawn, 48)

    @pytest.mark.data
    def test_real_soil(self, data_folder):
        drawn = PlantSettings(empty_share=1.0, soil_folder=str(data_folder / "soil_pots"))
        assert not any(draw_plant(seed, drawn, 64).labels.any() for seed in range(8))
