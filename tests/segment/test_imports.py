"""What a worker imports is what a set waits for at its start."""

from __future__ import annotations

import subprocess
import sys

from set_scenes import Shards

SEGMENT = """
import sys
import numpy as np
import phenopipe.worker_imports
from phenopipe.segment.columns import KEYS, TRAITS
from phenopipe.segment.measured import write_measured
from phenopipe.segment import find_leaves
from pathlib import Path

distance = np.zeros((20, 20), np.float32)
distance[8:12, 8:12] = 1
embedding = np.zeros((20, 20, 2), np.float32)
embedding[5:15, 5:15, 0] = 1
assert find_leaves(distance, embedding).labels.max() == 1
columns = dict.fromkeys(KEYS, ["a", ""]) | dict.fromkeys((*TRAITS, "crop_index", "label"), [0, 1])
write_measured(Path(sys.argv[1]), 0, columns)
print(*sys.modules)
"""


def test_workers_do_without_what_takes_long_to_import(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SEGMENT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    slow = {"pandas", "skimage", "scipy.ndimage", "scipy.spatial", "torch", "zarr"}
    assert not slow & set(done.stdout.split())


FIRST_TASK = """
import sys
import phenopipe.worker_imports
do_batch = sys.modules["phenopipe.segment.batch"].do_batch
segment_block = sys.modules["phenopipe.segment.blocks"].segment_block
from pathlib import Path
from phenopipe.config import SegmentSettings
from phenopipe.segment.image_set import create_parts
from phenopipe.segment.sources import list_crops
from phenopipe.store import create_store

crops, prediction, out = map(Path, sys.argv[1:])
found, size = list_crops([(crops.with_suffix(".tsv"), crops)], [prediction])
with create_store(out, "labels") as store:
    parts = create_parts(store, len(found), size, len(found))
    before = set(sys.modules)
    do_batch([(found, 0, parts, SegmentSettings())], segment_block)
    print(*set(sys.modules) - before)
    print(*store["parts/labels"][3].nonzero()[0][:1])
"""


def test_a_worker_has_imported_all_that_its_first_task_needs(tmp_path):
    shards = Shards(tmp_path).add(range(4))
    paths = [shards.crops[0][1], shards.predictions[0], tmp_path / "labels.zarr"]
    done = subprocess.run(
        [sys.executable, "-c", FIRST_TASK, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
    )
    later, found = done.stdout.split("\n")[:2]
    assert found, "there are leaves"
    # SciPy's k-d tree is for seeds that are close to others; most plants have none.
    roots = {name.partition(".")[0] for name in later.split()}
    assert roots <= {"scipy", "_csparsetools"}


HANDS_OUT = """
import sys
from pathlib import Path
from phenopipe.config import DaskSettings
from phenopipe.segment import segment_set

if __name__ == "__main__":
    crops, prediction, out = map(Path, sys.argv[1:])
    segment_set(
        [(crops.with_suffix(".tsv"), crops)],
        [prediction],
        out / "labels.zarr",
        out / "measurements.parquet",
        dask=DaskSettings(cluster="processes"),
        workers=2,
    )
    print(*sys.modules)
"""


def test_who_only_hands_out_tasks_imports_none_of_the_loops_and_no_pandas(tmp_path):
    shards = Shards(tmp_path).add(range(4))
    script = tmp_path / "script.py"
    script.write_text(HANDS_OUT)
    paths = [shards.crops[0][1], shards.predictions[0], tmp_path]
    done = subprocess.run(
        [sys.executable, script, *map(str, paths)], capture_output=True, text=True, check=True
    )
    assert "distributed" in done.stdout.split()
    assert not {"numba", "scipy", "pandas", "phenopipe.segment.crop"} & set(done.stdout.split())
