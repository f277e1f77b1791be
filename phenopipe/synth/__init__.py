"""Plants and greenhouses drawn with leaf labels, to learn from and to try things out on.

What a greenhouse holds is known without drawing it; the modules that draw, and the libraries that
they need, are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from phenopipe.synth.roster import FILE_PATTERN, greenhouse_images

if TYPE_CHECKING:
    from phenopipe.synth.draw import draw_plant
    from phenopipe.synth.greenhouse import render_set
    from phenopipe.synth.image import Seed, SyntheticImage

__all__ = [
    "FILE_PATTERN",
    "Seed",
    "SyntheticImage",
    "draw_plant",
    "greenhouse_images",
    "render_set",
]

_HOMES = {
    "Seed": "image",
    "SyntheticImage": "image",
    "draw_plant": "draw",
    "render_set": "greenhouse",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module holds
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
