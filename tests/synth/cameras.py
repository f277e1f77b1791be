"""Cameras for tests."""

from __future__ import annotations

from phenopipe.synth.camera import Camera

#: Shows a scene as it is.
PERFECT = Camera(
    exposure=1.0,
    white=(1.0, 1.0, 1.0),
    gamma=1.0,
    haze=0.0,
    saturation=1.0,
    blur=0.0,
    shrink=1.0,
    noise=0.0,
    vignette=0.0,
    quality=0,
)
