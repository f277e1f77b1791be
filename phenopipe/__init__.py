"""phenopipe: leaf counts and leaf areas from top-view plant pictures, thousands a night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from phenopipe.measurement import Measurement, measure

__all__ = ["Measurement", "__version__", "measure"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    """Import `measure` when it is first used: it brings torch along."""
    if name in {"Measurement", "measure"}:
        from phenopipe import measurement

        return getattr(measurement, name)
    raise AttributeError(f"module 'phenopipe' has no attribute {name!r}")
