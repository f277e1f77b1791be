from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from phenopipe.segment.columns import KEYS, TRAITS
from phenopipe.segment.measured import (
    empty_measurements,
    read_measured,
    write_measured,
    write_measurements,
)

TEXTS = ("crop_id", "image", "pot", "status", "reason")
TYPES = (
    dict.fromkeys(KEYS, "int64")
    | dict.fromkeys(TEXTS, "str")
    | dict.fromkeys(TRAITS, "float64")
    | {"touches_edge": "boolean"}
)


def columns(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Make columns as a task has them: booleans are numbers, what is missing is not a number."""
    random = np.random.default_rng(seed)
    made: dict[str, np.ndarray] = {name: random.integers(0, 99, rows) for name in KEYS}
    made |= {name: random.choice(["a b", "", "Wurzel-ä"], rows) for name in TEXTS}
    made |= {name: random.choice([1.5, np.nan, -0.0, np.inf], rows) for name in TRAITS}
    made["touches_edge"] = random.choice([0.0, 1.0, np.nan], rows)
    made["label"] = made["label"].astype(float)
    made["area_px"] = np.arange(2.0 * rows)[::2]
    return made


def test_measurements_are_what_pandas_would_make_of_them(tmp_path):
    blocks = {0: columns(11, 1), 7: columns(1, 2), 9: columns(0, 3), 20: columns(16, 4)}
    for start, block in blocks.items():
        write_measured(tmp_path, start, block)
    write_measurements(tmp_path / "all.parquet", read_measured(tmp_path, blocks))
    expected = pd.concat([pd.DataFrame(block) for block in blocks.values()], ignore_index=True)
    expected = expected[[*KEYS, *TRAITS]].astype(TYPES)
    written = pd.read_parquet(tmp_path / "all.parquet")
    pd.testing.assert_frame_equal(written, expected)
    missing = pq.read_table(tmp_path / "all.parquet")
    for name in TRAITS:  # as programs other than pandas see it
        assert missing[name].null_count == expected[name].isna().sum(), name
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"{start}.parquet" for start in blocks),
        "all.parquet",
    }


def test_measurements_of_no_crops_have_their_types(tmp_path):
    write_measurements(tmp_path / "none.parquet", read_measured(tmp_path, []))
    for empty in (pd.read_parquet(tmp_path / "none.parquet"), empty_measurements()):
        assert len(empty) == 0
        assert empty.dtypes.astype(str).to_dict() == TYPES
