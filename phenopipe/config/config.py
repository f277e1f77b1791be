"""The whole configuration."""

from __future__ import annotations

from typing import Self

from pydantic import field_validator, model_validator

from phenopipe.config.block import Block, setting
from phenopipe.config.ingest import IngestSettings
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
    run: RunSettings = setting(RunSettings, "When a run counts as failed.")

    @field_validator("models", "analyses")
    @classmethod
    def _names(cls, value: dict[str, object]) -> dict[str, object]:
        import re

        if not value:
            raise ValueError("needs at least one entry")
        for name in value:
            if not re.match(NAME, name):
                raise ValueError(
                    f"the name {name!r} becomes a folder: use letters, digits, '.', '_' and '-'"
                )
        return value

    @model_validator(mode="after")
    def _models_exist(self) -> Self:
        for name, analysis in self.analyses.items():
            if analysis.model not in self.models:
                raise ValueError(
                    f"analyses.{name}.model: there is no model {analysis.model!r} in models "
                    f"({', '.join(self.models)})"
                )
        return self
