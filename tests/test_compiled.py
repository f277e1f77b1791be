"""Machine code is kept where that is possible, and made where it is not."""

from __future__ import annotations

import os
import subprocess
import sys

CALL = """
import logging, resource
logging.basicConfig(level=logging.INFO, format="%(message)s")
import numpy as np
from phenopipe.segment.runs import _find_runs, find_runs
if {limit}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
print(find_runs(np.array([[0, 2, 2]])).tolist(), sum(_find_runs.stats.cache_hits.values()))
"""


def call(limit=0, **environment):
    done = subprocess.run(
        [sys.executable, "-c", CALL.format(limit=limit)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip(), done.stderr


def test_a_later_process_finds_what_one_has_compiled(tmp_path):
    assert call(NUMBA_CACHE_DIR=str(tmp_path))[0] == "[[2, 0, 1, 3]] 0"
    assert call(NUMBA_CACHE_DIR=str(tmp_path))[0] == "[[2, 0, 1, 3]] 1"


def test_without_a_folder_to_write_to_each_process_compiles(tmp_path):
    (tmp_path / "file").touch()
    nowhere = {
        "NUMBA_CACHE_DIR": str(tmp_path / "file" / "folder"),
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",
    }
    for _ in range(2):
        output, told = call(**nowhere)
        assert output == "[[2, 0, 1, 3]] 0"
        assert "_find_runs is compiled for this process alone" in told


def test_a_full_disk_costs_no_result(tmp_path):
    output, told = call(limit=1000, NUMBA_CACHE_DIR=str(tmp_path))
    assert output == "[[2, 0, 1, 3]] 0"
    assert "_find_runs: its machine code is not kept: [Errno 27]" in told


def test_damaged_machine_code_is_made_again(tmp_path):
    call(NUMBA_CACHE_DIR=str(tmp_path))
    for kind, damage in (("nbi", b""), ("nbc", b"nonsense")):
        (file,) = tmp_path.rglob(f"*_find_runs*.{kind}")
        file.write_bytes(damage)
        output, told = call(NUMBA_CACHE_DIR=str(tmp_path))
        assert output == "[[2, 0, 1, 3]] 0"
        assert "_find_runs is compiled again: " in told
        assert call(NUMBA_CACHE_DIR=str(tmp_path))[0] == "[[2, 0, 1, 3]] 1"
