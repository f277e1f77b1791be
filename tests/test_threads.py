"""A job's numerical libraries use the threads that it was given."""

from __future__ import annotations

import os
import subprocess
import sys

import cv2
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from phenopipe.threads import limit_threads, use_all_threads

WITHOUT_TORCH = """
import sys
from phenopipe.threads import limit_threads
limit_threads(1)
assert "torch" not in sys.modules
"""


def blas_threads() -> set[int]:
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


@pytest.fixture(autouse=True)
def restored():
    before = cv2.getNumThreads(), torch.get_num_threads(), max(blas_threads())
    yield
    threadpool_limits(before[2], user_api="blas")
    cv2.setNumThreads(before[0])
    torch.set_num_threads(before[1])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_all_libraries_are_limited(count: int) -> None:
    limit_threads(count)
    assert cv2.getNumThreads() == count
    assert torch.get_num_threads() == count
    assert blas_threads() == {count}


def test_all_threads_are_those_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        use_all_threads()
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (1, 1)
    finally:
        os.sched_setaffinity(0, allowed)
    use_all_threads()
    assert torch.get_num_threads() == len(allowed)


def test_a_job_without_torch_does_not_import_it() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=True)
