"""What a greenhouse's image sets hold, told from its settings without drawing anything."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from phenopipe.config import SynthSettings

#: How a picture of the greenhouse is named, as ``plan.pattern`` reads it: time of the shot (UTC),
#: camera, pot, genotype (which may hold hyphens) and replicate.
FILE_PATTERN = "{timestamp:%Y%m%d_%H%M%S}_{camera}_{pot}_{genotype}-{replicate:digits}.png"
GENOTYPES = ("Col-0", "Is-1", "Ler", "Cvi-0")
CAMERA = "cam1"
#: First shot of the first night.
FIRST_SHOT = datetime(2024, 4, 2, 1, 0, 0)
#: Time between two shots, s, unless a night's shots would then take longer than `LONGEST_NIGHT_S`.
SHOT_SECONDS = 15.0
LONGEST_NIGHT_S = 6 * 3600.0

Growth = Literal["plant", "empty", "broken"]


@dataclass(frozen=True)
class Shot:
    """One picture of the greenhouse.

    Attributes
    ----------
    name : str
        File name, as `FILE_PATTERN` says.
    pot : int
        Number of the pot, from 0.
    growth : {"plant", "empty", "broken"}
        What the pot holds; ``broken`` is a plant whose file is cut short on the last night.
    """

    name: str
    pot: int
    growth: Growth

    @property
    def pot_name(self) -> str:
        """The pot's name, as in the file's."""
        return _pot_name(self.pot)


def _pot_name(pot: int) -> str:
    return f"P{pot + 1:03d}"


def set_names(settings: SynthSettings) -> list[str]:
    """Return the image sets' names, one a night: ``night_01``, ..."""
    digits = max(2, len(str(settings.nights)))
    return [f"night_{night + 1:0{digits}d}" for night in range(settings.nights)]


def greenhouse_images(settings: SynthSettings) -> dict[str, list[str]]:
    """Return the pictures of a greenhouse, without drawing anything.

    Parameters
    ----------
    settings : SynthSettings
        The greenhouse.

    Returns
    -------
    dict of str to list of str
        File names by image set, in the order of the shots.
    """
    return {
        name: [shot.name for shot in night_shots(settings, night)]
        for night, name in enumerate(set_names(settings))
    }


def night_shots(settings: SynthSettings, night: int) -> list[Shot]:
    """Return the shots of one night, counted from 0: every pot once."""
    pots = _pots(settings)
    pause = min(SHOT_SECONDS, LONGEST_NIGHT_S / len(pots))
    return [_shot(night, pot, growth, pot * pause) for pot, growth in enumerate(pots)]


def _pots(settings: SynthSettings) -> list[Growth]:
    """Return what each pot holds: the greenhouse's seed says where the odd ones stand."""
    shares: list[tuple[Growth, int]] = [
        ("plant", settings.plants),
        ("empty", settings.empty_pots),
        ("broken", settings.broken_files),
    ]
    pots = [growth for growth, count in shares for _ in range(count)]
    random.Random(settings.seed).shuffle(pots)
    return pots


def _shot(night: int, pot: int, growth: Growth, seconds: float) -> Shot:
    time = FIRST_SHOT + timedelta(days=night, seconds=int(seconds))
    genotype = GENOTYPES[pot % len(GENOTYPES)]
    replicate = pot // len(GENOTYPES) + 1
    name = f"{time:%Y%m%d_%H%M%S}_{CAMERA}_{_pot_name(pot)}_{genotype}-{replicate}.png"
    return Shot(name, pot, growth)
