"""Jobs and commands end without the collector's last looks; while they run it works as ever."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
