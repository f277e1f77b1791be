"""Which pictures a model may have learned from, also before: what was kept back from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from phenopipe.config import DataSettings
from phenopipe.labelled import Source
from phenopipe.labelled.sources import is_kept_back
from phenopipe.model.header import read_header

#: Entry of a model's header: by source, the share of its pictures that never taught the model.
KEY = "kept_back"


def note_kept_back(
    data: Sequence[DataSettings], sources: Sequence[Source], start: Path | None
) -> dict[str, str]:
    """Return the header's entry for a model that learns from some sources.

    Parameters
    ----------
    data, sources : sequence of DataSettings, sequence of Source
        The sources, as they are set and opened.
    start : Path or None
        The weights that the model starts from, with what they have learned.
    """
    shares = _shares(start) if start else {}
    for source, settings in zip(sources, data, strict=True):
        if not source.synthetic:
            before = shares.get(source.name, 1.0)
            shares[source.name] = min(settings.validation_share, before)
    return {KEY: json.dumps(shares)}


def learned_anyway(model: Path, sources: Sequence[Source]) -> list[str]:
    """Return the sources of which a model has learned pictures that are kept back now."""
    shares = _shares(model)
    return [
        source.name
        for source in sources
        if any(
            not is_kept_back(picture.name, shares.get(source.name, 1.0))
            for picture in source.validation
        )
    ]


def _shares(model: Path) -> dict[str, float]:
    return dict(json.loads(read_header(model).get(KEY, "{}")))
