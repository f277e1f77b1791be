"""Compilation of the network for its device, where that works."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

log = logging.getLogger(__name__)


class Compiled:
    """A function as torch compiles it at its first call, or as it is if that fails.

    Parameters
    ----------
    function : callable
        Of one tensor.

    Notes
    -----
    A compiler may be missing, or a kernel may not be made for this device: that costs speed, but
    no prediction. Too little memory is the caller's to mend and is raised.
    """

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        self._plain = function
        self._function: Callable[[Tensor], object] = torch.compile(function, dynamic=False)
        self._proven = False

    def __call__(self, images: Tensor) -> object:
        """Call the function."""
        if self._proven:
            return self._function(images)
        try:
            result = self._function(images)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # compilers fail with errors of any kind
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            log.warning("predict.compile: going on without, since it fails here (%s)", reason)
            self._function = self._plain
            result = self._plain(images)
        self._proven = True
        return result
