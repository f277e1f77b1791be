"""How many cores a job takes."""

from __future__ import annotations

import re

import pytest


def cores_of(run):
    """Cores of the jobs of segment, by set, as their messages say."""
    found = re.findall(r"^Job \d+: segment: (\w+) by analysis \w+, cores: (\d+)$", run.output, re.M)
    return {name: int(cores) for name, cores in found}


@pytest.mark.parametrize(
    ("changed", "cores"),
    [
        ({}, {"night_1": 1, "night_2": 1}),
        ({"dask__processes_from": 7}, {"night_1": 2, "night_2": 1}),
        ({"dask__cluster": "threads"}, {"night_1": 2, "night_2": 2}),
        ({"dask__cluster": "slurm", "dask__processes_from": 1}, {"night_1": 1, "night_2": 1}),
        ({"dask__address": "tcp://10.0.0.5:8786"}, {"night_1": 1, "night_2": 1}),
        # 4 pots in each of 2 pictures.
        (
            {
                "dask__processes_from": 8,
                "ingest__cameras": {
                    "default": {
                        "pots": {
                            "rows": 2,
                            "cols": 2,
                            "corners": [[0, 0], [90, 0], [90, 90], [0, 90]],
                        }
                    }
                },
            },
            {"night_1": 2, "night_2": 2},
        ),
    ],
)
def test_a_small_set_is_segmented_on_one_core_and_a_large_one_on_all(raw, changed, cores):
    raw.configure(**changed)
    run = raw.run("--dry-run", "--set-threads", "predict=1")
    assert run.code == 0, run.output
    assert cores_of(run) == cores
