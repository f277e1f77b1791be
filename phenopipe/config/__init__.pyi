"""The configuration: one small file per block is the only place where a setting is defined.

The commented ``config/config.yaml``, the JSON Schema and ``docs/configuration.md`` are made from
these classes by :mod:`phenopipe.config.render`.
"""

from .compare import CompareSettings
from .config import AnalysisSettings, Config
from .data import DataSettings
from .ingest import CameraSettings, IngestSettings, PotLayout
from .load import check_block, check_config, load_config, read_yaml
from .nightly import NightlySettings, RetentionSettings
from .plan import PlanSettings
from .predict import PredictSettings
from .report import ReportSettings, RunSettings
from .season import SeasonSettings
from .segment import DaskSettings, SegmentSettings
from .synth import PlantSettings, SynthSettings
from .tabulate import QualitySettings, TabulateSettings
from .train import LossSettings, ModelSettings, TrainSettings

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
