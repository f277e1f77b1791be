"""The configuration: one small file per block is the only place where a setting is defined.

The commented ``config/config.yaml``, the JSON Schema and ``docs/configuration.md`` are made from
these classes by :mod:`phenopipe.config.render`.
"""

from phenopipe.config.compare import CompareSettings
from phenopipe.config.config import AnalysisSettings, Config
from phenopipe.config.data import DataSettings
from phenopipe.config.ingest import CameraSettings, IngestSettings, PotLayout
from phenopipe.config.load import check_block, check_config, load_config, read_yaml
from phenopipe.config.nightly import NightlySettings, RetentionSettings
from phenopipe.config.plan import PlanSettings
from phenopipe.config.predict import PredictSettings
from phenopipe.config.report import ReportSettings, RunSettings
from phenopipe.config.season import SeasonSettings
from phenopipe.config.segment import DaskSettings, SegmentSettings
from phenopipe.config.synth import PlantSettings, SynthSettings
from phenopipe.config.tabulate import QualitySettings, TabulateSettings
from phenopipe.config.train import LossSettings, ModelSettings, TrainSettings

__all__ = [
    "AnalysisSettings",
    "CameraSettings",
    "CompareSettings",
    "Config",
    "DaskSettings",
    "DataSettings",
    "IngestSettings",
    "LossSettings",
    "ModelSettings",
    "NightlySettings",
    "PlanSettings",
    "PlantSettings",
    "PotLayout",
    "PredictSettings",
    "QualitySettings",
    "ReportSettings",
    "RetentionSettings",
    "RunSettings",
    "SeasonSettings",
    "SegmentSettings",
    "SynthSettings",
    "TabulateSettings",
    "TrainSettings",
    "check_block",
    "check_config",
    "load_config",
    "read_yaml",
]
