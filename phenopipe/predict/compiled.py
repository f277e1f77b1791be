"""Compilation of the network for its device, where that works."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

log = logging.getLogger(__name__)


class Compiled:
    """A function as torch compiles it for its largest batch, or as it is if that fails.

    Parameters
    ----------
    function : callable
        Of one tensor.

    Notes
    -----
    A compiler may be missing, or a kernel may not be made for this device: that costs speed, but
    no prediction. Each shape is compiled anew, which takes a minute: smaller batches, such as a
    shard's last one, are left to the function as it is. Too little memory is the caller's to mend
    and is raised; smaller batches are compiled then.
    """

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        self._plain = function
        self._function: Callable[[Tensor], object] | None = torch.compile(function, dynamic=False)
        self._largest = 0

    def __call__(self, images: Tensor) -> object:
        """Call the function."""
        if self._function is None or len(images) < self._largest:
            return self._plain(images)
        try:
            result = self._function(images)
        except torch.OutOfMemoryError:
            self._largest = 0
            raise
        except Exception as error:  # compilers fail with errors of any kind
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            log.warning("predict.compile: going on without, since it fails here (%s)", reason)
            self._function = None
            return self._plain(images)
        self._largest = len(images)
        return result
