"""Work done ahead: in order, no further ahead than asked for, errors at their turn."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from phenopipe.ahead import work_ahead


def test_results_come_in_order_whatever_finishes_first() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 * (5 - number))
        return number**2

    with ThreadPoolExecutor(3) as pool:
        assert list(work_ahead(pool, slow_first, range(5), 3)) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_no_more_is_taken_than_asked_for(ahead: int) -> None:
    taken = []

    def items():
        for number in range(10):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        for result in work_ahead(pool, lambda number: number, items(), ahead):
            assert len(taken) <= result + ahead + 1


def test_the_next_item_is_worked_on_while_one_is_used() -> None:
    started = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            started.set()
        return number

    with ThreadPoolExecutor(1) as pool:
        results = work_ahead(pool, work, range(3), 1)
        assert next(results) == 0
        assert started.wait(10)


def test_an_error_comes_at_its_items_turn() -> None:
    def fail_at_two(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    with ThreadPoolExecutor(2) as pool:
        results = work_ahead(pool, fail_at_two, range(5), 2)
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(ValueError, match="two"):
            next(results)
