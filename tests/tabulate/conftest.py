"""A small night: two images of two pots, one image of one pot that could not be read."""

from __future__ import annotations

import pandas as pd
import pytest
from tabulate_tables import measurement

from phenopipe.config import QualitySettings
from phenopipe.tabulate import Provenance


@pytest.fixture
def images():
    return pd.DataFrame(
        {
            "image": ["night1/a.png", "night1/b.png", "night1/broken.png"],
            "version": "1",
            "shard": "000",
            "status": "kept",
            "reason": "",
            "experiment": "drought",
            "image_set": "night1",
            "timestamp": [
                "2026-03-01T22:00:00+01:00",
                "2026-03-01T22:05:00+01:00",
                "2026-03-01T22:10:00+01:00",
            ],
            "camera": "cam1",
            "tray": ["T1", "T2", "T3"],
            "pot": "",
            "plant_id": "",
            "genotype": ["Col-0", "Is-1", "Is-1"],
            "treatment": "",
            "replicate": ["1", "2", "3"],
        }
    )


@pytest.fixture
def crops():
    return pd.DataFrame(
        {
            "crop_id": ["c10", "c2", "c3", "c4", "c5"],
            "image": [
                "night1/a.png",
                "night1/a.png",
                "night1/b.png",
                "night1/b.png",
                "night1/broken.png",
            ],
            "pot": ["10", "2", "1", "2", "1"],
            "status": ["ok", "ok", "ok", "ok", "unreadable"],
            "reason": ["", "", "", "", "is truncated"],
            "mm_per_px": [0.5, 0.5, None, None, None],
            "scale_source": ["camera", "camera", "", "", ""],
            "brightness": [100.0, 100.0, 100.0, 100.0, None],
            "sharpness": [20.0, 20.0, 20.0, 20.0, None],
        }
    )


@pytest.fixture
def measurements():
    nothing = dict.fromkeys(["centroid_x", "mean_red", "diameter_px", "touches_edge"])
    return pd.DataFrame(
        [
            measurement("c10", 0, 120.0, diameter_px=40.0),
            measurement("c10", 2, 40.0, confidence=0.6, length_px=10.0, width_px=4.0),
            measurement("c10", 1, 60.0, confidence=0.8),
            measurement("c2", 0, 0.0, confidence=None),
            measurement("c3", 0, 75.0, touches_edge=True),
            measurement("c3", 1, 70.0, confidence=0.2, touches_edge=True),
            measurement("c4", 0, None, status="damaged", reason="crop 3 is damaged", **nothing),
            measurement("c5", 0, None, status="unreadable", reason="is truncated", **nothing),
        ]
    )


@pytest.fixture
def quality():
    return QualitySettings()


@pytest.fixture
def provenance():
    return Provenance(analysis="default", model="small", model_sha256="ab" * 32)
