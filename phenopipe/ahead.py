"""Work done ahead in threads, given back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def work_ahead(
    executor: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Yield ``function(item)`` of each item, in their order, while the next ones are worked on.

    Parameters
    ----------
    executor : Executor
        What runs the function.
    function : callable
        Of one item.
    items : iterable
        Taken one by one, only as far as they are worked on; itself often work done ahead.
    ahead : int
        Results that may be there or in work beside the one that is yielded: bounds memory.

    Yields
    ------
    object
        The results.

    Raises
    ------
    Exception
        What the function raised, at its item's turn.
    """
    pending: deque[Future[Result]] = deque()
    for item in items:
        pending.append(executor.submit(function, item))
        if len(pending) > ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
