"""Signals that ask a training to stop: noted, so that the step under way is finished first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType

#: What asks for a stop: the end of a job, and SLURM's warning before it (``--signal=USR1@120``).
STOPPING = (signal.SIGTERM, signal.SIGUSR1)


class StopRequest:
    """Notes the signals of :data:`STOPPING` while its block runs, instead of dying of them.

    In another thread than the main one, where Python hears no signals, it does nothing.

    Parameters
    ----------
    pass_on : callable, optional
        Called with the number of each signal.

    Attributes
    ----------
    signal_name : str or None
        The first signal that came, such as ``"SIGTERM"``.
    """

    def __init__(self, pass_on: Callable[[int], None] | None = None) -> None:
        self.signal_name: str | None = None
        self._pass_on = pass_on
        self._former: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in STOPPING}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signal_name = self.signal_name or signal.Signals(number).name
        if self._pass_on is not None:
            self._pass_on(number)


@contextmanager
def deaf_processes() -> Iterator[None]:
    """Start processes that do not hear the signals of :data:`STOPPING`; this one does, if late.

    A scheduler signals all processes of a job. Those that only serve this one must live until it
    has finished its step.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    # Multiprocessing's own helper must be deaf too; its start ends the blocking of SIGTERM.
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
