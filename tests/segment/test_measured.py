from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from phenopipe.segment.measured import write_measured


def test_columns_of_a_block_are_what_pandas_would_write(tmp_path):
    columns = {
        "image": np.array(["a b", "", "Wurzel-ä"]),
        "label": np.array([0, 1, 2]),
        "area_px": np.array([1.5, np.nan, -0.0, 9.0])[[3, 1, 0]],
        "strided": np.arange(6.0)[::2],
    }
    write_measured(tmp_path, 7, columns)
    written = pq.read_table(tmp_path / "7.parquet").to_pandas()
    pd.testing.assert_frame_equal(written, pd.DataFrame(columns), check_dtype=False)
    assert not list(tmp_path.glob("*.parquet.*"))


def test_booleans_are_refused_not_written_as_bits(tmp_path):
    with pytest.raises(TypeError, match="bool"):
        write_measured(tmp_path, 0, {"touches_edge": np.array([True, False, True])})
    assert not list(tmp_path.iterdir())
