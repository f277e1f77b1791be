"""Jobs and commands end without the collector's last looks; while they run it works as ever."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from phenopipe.garbage import importing

# The first handler that is registered is called last.
WATCHED = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_freeze_count() > 1000))
"""
JOB = """
from phenopipe.logs import stage_log
with stage_log("job.log"):
    pass
print(gc.get_freeze_count())
"""
COMMAND = """
from phenopipe.cli import main
sys.argv = ["phenopipe", "segment", "--help"]
try:
    main()
except SystemExit:
    print(gc.get_freeze_count())
"""


@pytest.mark.parametrize("code", [JOB, COMMAND])
def test_nothing_is_looked_at_when_a_process_ends(tmp_path, code):
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-2:] == ["0", "True"]


@pytest.mark.parametrize("enabled", [True, False])
def test_nobody_looks_for_garbage_while_modules_are_imported(enabled):
    looks = []
    gc.callbacks.append(lambda phase, _: looks.append(phase))
    was_enabled = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ImportError, match="no such"), importing():
            kept = [[n] for n in range(100_000)]
            seen = len(looks)
            raise ImportError("no such module")
        assert seen == 0
        assert len(kept) == 100_000
        assert gc.isenabled() is enabled
    finally:
        gc.callbacks.pop()
        (gc.enable if was_enabled else gc.disable)()
