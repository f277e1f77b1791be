"""The camera's steps, one at a time, and the padding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cameras import PERFECT

from phenopipe.synth.camera import compress, expose
from phenopipe.synth.noise import BANK_SIDE, fractal_noise, octave_noise
from phenopipe.synth.padding import pad_black

SCENE = np.random.default_rng(0).uniform(0.1, 0.9, (32, 32, 3)).astype(np.float32)


def seen(**changes: object) -> np.ndarray:
    return expose(SCENE, replace(PERFECT, **changes), np.random.default_rng(1)).astype(float) / 255


def test_perfect_camera_sees_what_is_there():
    np.testing.assert_allclose(seen(), SCENE, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exposure": 0.5}, SCENE * 0.5),
        ({"white": (1.0, 0.5, 0.8)}, SCENE * [1.0, 0.5, 0.8]),
        ({"gamma": 2.0}, SCENE**2),
        ({"haze": 0.2}, np.minimum(SCENE + 0.2, 1.0)),
        ({"saturation": 0.0}, np.repeat(SCENE.mean(axis=2, keepdims=True), 3, axis=2)),
    ],
)
def test_each_step_alone(changes, expected):
    np.testing.assert_allclose(seen(**changes), expected, atol=0.5 / 255 + 1e-5)


def test_noise_has_its_deviation():
    assert np.std(seen(noise=0.02) - SCENE) == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("changes", [{"blur": 1.5}, {"shrink": 0.4}])
def test_softening_keeps_the_mean_and_loses_contrast(changes):
    assert seen(**changes).mean() == pytest.approx(SCENE.mean(), abs=0.01)
    assert seen(**changes).std() < 0.6 * SCENE.std()


def test_corners_lose_light():
    lost = seen(vignette=0.5)
    np.testing.assert_allclose(lost[0, 0], 0.5 * SCENE[0, 0], atol=0.01)


def test_compression_is_worse_at_low_quality():
    picture = np.rint(SCENE * 255).astype(np.uint8)
    error = [np.abs(compress(picture, q).astype(int) - picture).mean() for q in (95, 30)]
    assert 0 < error[0] < error[1]


def test_padding_blacks_out_picture_and_labels_alike():
    labels = np.zeros((64, 64), np.uint16)
    labels[20:40, 25:45] = 1
    for seed in range(20):
        rgb, cut = np.full((64, 64, 3), 200, np.uint8), labels.copy()
        pad_black(np.random.default_rng(seed), rgb, cut)
        black = (rgb == 0).all(axis=2)
        assert black.any()
        assert not cut[black].any()
        np.testing.assert_array_equal(cut[~black], labels[~black])
        rows, cols = np.flatnonzero(~black.all(axis=1)), np.flatnonzero(~black.all(axis=0))
        assert (~black).sum() == rows.size * cols.size


def test_padding_of_an_empty_pot_is_a_band():
    rgb = np.full((64, 64, 3), 200, np.uint8)
    pad_black(np.random.default_rng(1), rgb, np.zeros((64, 64), np.uint16))
    assert 0.55 < np.mean(rgb > 0) < 1.0


@pytest.mark.parametrize("octave", range(6))
def test_noise_is_centred_and_coarser_by_octave(octave):
    noise = octave_noise(np.random.default_rng(0), (BANK_SIDE, BANK_SIDE), octave)
    assert noise.mean() == pytest.approx(0.0, abs=1e-3)
    assert noise.std() == pytest.approx(1.0, abs=1e-3)
    rough = np.diff(noise, axis=0).std()
    if octave:
        finer = octave_noise(np.random.default_rng(0), (BANK_SIDE, BANK_SIDE), octave - 1)
        assert rough < np.diff(finer, axis=0).std()


def test_noise_larger_than_the_bank_repeats_without_a_seam():
    side = BANK_SIDE + 40
    noise = octave_noise(np.random.default_rng(3), (side, side), 3)
    np.testing.assert_array_equal(noise[:40], noise[BANK_SIDE:])
    assert np.abs(np.diff(noise, axis=0)).max() < 1.0


def test_fractal_noise_of_no_octave_is_zero():
    assert not fractal_noise(np.random.default_rng(0), (8, 8), (0.0, 0.0)).any()
