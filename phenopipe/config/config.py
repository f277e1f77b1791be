"""The whole configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from phenopipe.config.block import Block, setting
from phenopipe.config.compare import CompareSettings
from phenopipe.config.ingest import IngestSettings
from phenopipe.config.nightly import NightlySettings, RetentionSettings
from phenopipe.config.plan import PlanSettings
from phenopipe.config.predict import PredictSettings
from phenopipe.config.report import ReportSettings, RunSettings
from phenopipe.config.season import SeasonSettings
from phenopipe.config.segment import DaskSettings, SegmentSettings
from phenopipe.config.synth import SynthSettings
from phenopipe.config.tabulate import QualitySettings, TabulateSettings
from phenopipe.config.train import ModelSettings

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class AnalysisSettings(Block):
    """A named set of post-processing settings over one model's predictions."""

    model: str = setting("default", "Name of the model, an entry of models.")
    segment: SegmentSettings = setting(SegmentSettings, "Seeds and clustering.")
    quality: QualitySettings = setting(QualitySettings, "Limits for flags.")


class Config(Block):
    """Everything that the pipeline can be told."""

    experiment: str = setting("experiment", "Name of the experiment, a column of every table.")
    synth: SynthSettings | None = setting(
        None, "Draw a small greenhouse to try the pipeline on; null uses your own pictures."
    )
    plan: PlanSettings = setting(PlanSettings, "Images, their names, and shards.")
    ingest: IngestSettings = setting(IngestSettings, "From pictures to crops.")
    models: dict[str, ModelSettings] = setting(
        lambda: {"default": ModelSettings()}, "Models by name."
    )
    predict: PredictSettings = setting(PredictSettings, "The network over crops.")
    analyses: dict[str, AnalysisSettings] = setting(
        lambda: {"default": AnalysisSettings()}, "Analyses by name; several may live side by side."
    )
    dask: DaskSettings = setting(DaskSettings, "Where segment runs.")
    tabulate: TabulateSettings = setting(TabulateSettings, "Plant metadata.")
    season: SeasonSettings = setting(SeasonSettings, "Growth and tracks.")
    report: ReportSettings = setting(ReportSettings, "HTML pages.")
    compare: CompareSettings = setting(CompareSettings, "Analyses side by side.")
    run: RunSettings = setting(RunSettings, "When a run counts as failed.")
    nightly: NightlySettings = setting(NightlySettings, "Unattended runs (docs/nightly.md).")
    retention: RetentionSettings = setting(RetentionSettings, "What clean may remove.")

    @field_validator("models", "analyses")
    @classmethod
    def _names(cls, value: dict[str, object]) -> dict[str, object]:
        if not value:
            raise ValueError("needs at least one entry")
        for name in value:
            if not re.fullmatch(NAME, name):
                raise ValueError(
                    f"the name {name!r} becomes a folder: use letters, digits, '.', '_' and '-'"
                )
        return value

    @property
    def compared(self) -> tuple[tuple[str, str], ...]:
        """Pairs of analyses to compare."""
        if self.compare.pairs is not None:
            return self.compare.pairs
        first, *others = self.analyses
        return tuple((first, other) for other in others)

    @model_validator(mode="wrap")
    @classmethod
    def _names_exist(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401
        # Around the others, since a validator after them is not reached if one of them fails.
        missing = list(_missing_names(data)) if isinstance(data, Mapping) else []
        try:
            config = handler(data)
        except ValidationError as error:
            others = [
                InitErrorDetails(
                    type=e["type"], loc=e["loc"], input=e["input"], ctx=e.get("ctx", {})
                )
                for e in error.errors()
            ]
            raise ValidationError.from_exception_data(cls.__name__, others + missing) from error
        if missing:
            raise ValidationError.from_exception_data(cls.__name__, missing)
        return config


def _missing_names(data: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """Yield an error for each setting, as yet unchecked, that names or needs what is not there."""
    yield from _missing_models(data)
    yield from _missing_analyses(data)
    yield from _missing_age(data)


def _missing_models(data: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    models, analyses = data.get("models", {"default": {}}), data.get("analyses", {"default": {}})
    if not isinstance(models, Mapping) or not isinstance(analyses, Mapping):
        return
    for name, analysis in analyses.items():
        is_block = isinstance(analysis, AnalysisSettings)
        values = analysis.model_dump() if is_block else analysis
        if not isinstance(values, Mapping):
            continue
        model = values.get("model", "default")
        if isinstance(model, str) and model not in models:
            message = f"there is no model {model!r} in models ({', '.join(map(str, models))})"
            yield _missing(message, ("analyses", name, "model"), values)


def _missing_analyses(data: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    analyses, pairs = data.get("analyses", {"default": {}}), _value(data, "compare", "pairs")
    if not isinstance(analyses, Mapping) or not isinstance(pairs, list | tuple):
        return
    for number, pair in enumerate(pairs):
        for name in pair if isinstance(pair, list | tuple) else ():
            if isinstance(name, str) and name not in analyses:
                known = ", ".join(map(str, analyses))
                message = f"there is no analysis {name!r} in analyses ({known})"
                yield _missing(message, ("compare", "pairs", number), pairs)


def _missing_age(data: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    if _value(data, "nightly", "clean") is True and _value(data, "retention", "crops_days") is None:
        message = "needs retention.crops_days, the age from which crops may go"
        yield _missing(message, ("nightly", "clean"), True)


def _value(data: Mapping[str, Any], block: str, name: str) -> Any:  # noqa: ANN401
    """Return a value of a block that may be a mapping, its class, or nothing of the kind."""
    values = data.get(block)
    return values.get(name) if isinstance(values, Mapping) else getattr(values, name, None)


def _missing(message: str, where: tuple[str | int, ...], value: object) -> InitErrorDetails:
    kind = PydanticCustomError("missing_name", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=where, input=value)
