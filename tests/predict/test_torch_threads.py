"""Threads that run torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from phenopipe.predict.torch_threads import torch_threads


@pytest.mark.parametrize("single", [True, False])
def test_threads_of_torch_have_a_core_each_or_all(single: bool) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with torch_threads(2, single=single) as pool:
            found = {pool.submit(torch.get_num_threads).result() for _ in range(8)}
        assert found == {1 if single else 3}
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)
