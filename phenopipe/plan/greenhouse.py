"""Image sets of the synthetic greenhouse, known from its settings before anything is drawn."""

from __future__ import annotations

import hashlib

from phenopipe.config import PlanSettings, SynthSettings
from phenopipe.errors import InputError
from phenopipe.plan.candidate import Candidate
from phenopipe.plan.names import NameReader, printable


class GreenhouseSource:
    """Image sets that the stage `synth` draws; no file is looked at.

    Parameters
    ----------
    settings : PlanSettings
        Pattern (by default that of the synthetic names) and sets.
    synth : SynthSettings
        The greenhouse; the version of every picture is a digest of these settings.
    """

    def __init__(self, settings: PlanSettings, synth: SynthSettings) -> None:
        from phenopipe.synth import FILE_PATTERN, greenhouse_images

        pattern = settings.pattern or FILE_PATTERN
        self._names = NameReader(settings.model_copy(update={"pattern": pattern}))
        self._version = hashlib.sha256(synth.model_dump_json().encode()).hexdigest()[:16]
        self._images = greenhouse_images(synth)
        self._named = settings.sets

    def sets(self) -> list[str]:
        """Return the names of the image sets, sorted.

        Raises
        ------
        InputError
            If a set named in ``plan.sets`` is none of the greenhouse's nights.
        """
        names = sorted(self._images if self._named is None else set(self._named))
        missing = [name for name in names if name not in self._images]
        if missing:
            raise InputError(
                *(f"plan.sets: the greenhouse has no night {printable(n)!r}" for n in missing)
            )
        return names

    def candidates(self, image_set: str) -> list[Candidate]:
        """Return the pictures of a set, sorted by path."""
        return [self._candidate(image_set, name) for name in sorted(self._images[image_set])]

    def listing(self, image_set: str) -> None:
        """Return None: the names are made by the program, and quickly."""

    def _candidate(self, image_set: str, name: str) -> Candidate:
        fields, reason = self._names.read(name)
        return Candidate(f"{image_set}/{name}", self._version, fields, reason)
