"""Plants and greenhouses drawn with exact leaf labels, to learn from and to try things out on."""

from phenopipe.synth.draw import draw_plant
from phenopipe.synth.image import Seed, SyntheticImage

__all__ = ["Seed", "SyntheticImage", "draw_plant"]
