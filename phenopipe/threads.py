"""How many threads the numerical libraries of this process use."""

from __future__ import annotations

import os
import sys

import cv2
from threadpoolctl import threadpool_limits


def limit_threads(count: int) -> None:
    """Let OpenCV, BLAS and torch use `count` threads each, as many as the scheduler gave this job.

    Call it after the job's imports: torch is not imported for a job that does without, and a BLAS
    that is loaded later keeps its own mind (each of SciPy and NumPy brings one).

    Parameters
    ----------
    count : int
        At least 1.
    """
    cv2.setNumThreads(count)
    threadpool_limits(count, user_api="blas")
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)


def use_all_threads() -> None:
    """Let OpenCV, BLAS and torch use every core that this process may run on."""
    limit_threads(len(os.sched_getaffinity(0)))
