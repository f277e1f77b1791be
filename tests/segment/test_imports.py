"""What a worker imports is what a set waits for at its start."""

from __future__ import annotations

import subprocess
import sys

SEGMENT = """
import sys
import numpy as np
import phenopipe.segment.blocks
from phenopipe.segment.measured import write_measured
from phenopipe.segment import find_leaves
from pathlib import Path

distance = np.zeros((20, 20), np.float32)
distance[8:12, 8:12] = 1
embedding = np.zeros((20, 20, 2), np.float32)
embedding[5:15, 5:15, 0] = 1
assert find_leaves(distance, embedding).labels.max() == 1
write_measured(Path(sys.argv[1]), 0, {"image": np.array(["a", ""]), "label": np.arange(2)})
print(*sys.modules)
"""


def test_workers_do_without_what_takes_long_to_import(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SEGMENT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    modules = done.stdout.split()
    assert "phenopipe.segment.angular" in modules
    assert not {"pandas", "skimage", "scipy.ndimage", "scipy.spatial", "torch"} & set(modules)
