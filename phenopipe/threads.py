"""How many threads the numerical libraries of this process use."""

from __future__ import annotations

import os
import sys

import cv2


def limit_threads(count: int) -> None:
    """Let OpenCV and torch use `count` threads each, as many as the scheduler gave this job.

    Call it after the job's imports: torch is not imported for a job that does without.

    Parameters
    ----------
    count : int
        At least 1.
    """
    cv2.setNumThreads(count)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)


def use_all_threads() -> None:
    """Let OpenCV and torch use every core that this process may run on."""
    limit_threads(len(os.sched_getaffinity(0)))
