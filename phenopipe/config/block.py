"""What every block of the configuration shares."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict


class Block(BaseModel):
    """A block of settings: unknown keys are errors, numbers finite, values fixed once read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )


def setting(
    default: Any = ...,  # noqa: ANN401 - the field's own annotation says the type
    description: str = "",
    *,
    unit: str | None = None,
    **constraints: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Define one setting: its default, meaning, unit and range.

    Parameters
    ----------
    default : Any
        Value when the user gives none; ``...`` makes the setting obligatory.
    description : str
        One sentence for the user.
    unit : str, optional
        Unit of the value, shown in the commented configuration and the reference.
    **constraints
        Bounds that pydantic checks: ``gt``, ``ge``, ``lt``, ``le``, ``pattern``, ...

    Returns
    -------
    pydantic.fields.FieldInfo
        The field.
    """
    extra: JsonDict | None = {"unit": unit} if unit else None
    if callable(default):
        return Field(
            default_factory=default, description=description, json_schema_extra=extra, **constraints
        )
    return Field(default, description=description, json_schema_extra=extra, **constraints)
