"""What the gate said of trained models; needs no torch."""

from __future__ import annotations

import json
from pathlib import Path

from phenopipe.errors import StoreError, first_line


def rejection(folder: Path) -> str | None:
    """Say that the last training of a model did not pass its gate, or return None if it did.

    Parameters
    ----------
    folder : Path
        Folder of the model, which holds ``metrics.json`` once it was trained.

    Returns
    -------
    str or None
        One line for the user.

    Raises
    ------
    StoreError
        If ``metrics.json`` is damaged.
    """
    metrics = folder / "metrics.json"
    if not metrics.is_file():
        return None
    try:
        verdict = json.loads(metrics.read_text(encoding="utf-8"))
        if verdict["passed"]:
            return None
        model, reason = verdict["model"], verdict["reason"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{metrics}: cannot be read ({first_line(error)})") from error
    return (
        f"WARNING: model {model} DID NOT PASS its gate, its predecessor is used: {reason} "
        f"(see {metrics})"
    )
