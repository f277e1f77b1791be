"""What the gate said of trained models; needs no torch."""

from __future__ import annotations

import json
from pathlib import Path


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
    """
    metrics = folder / "metrics.json"
    if not metrics.is_file():
        return None
    verdict = json.loads(metrics.read_text(encoding="utf-8"))
    if verdict["passed"]:
        return None
    return (
        f"WARNING: model {verdict['model']} DID NOT PASS its gate, its predecessor is used: "
        f"{verdict['reason']} (see {metrics})"
    )
