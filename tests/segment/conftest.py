"""What several tests of whole sets share."""

from __future__ import annotations

import pytest
from set_scenes import Shards


@pytest.fixture
def shards(tmp_path):
    return Shards(tmp_path)
