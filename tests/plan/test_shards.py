"""Shards are append-only, and a digest changes with what it covers and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from phenopipe.errors import StoreError
from phenopipe.plan import Roster, RosterRow
from phenopipe.plan.shards import assign_shards


def rows_of(*images, **fields):
    return [RosterRow(image, "1-1", fields=fields) for image in images]


def test_new_images_fill_the_last_shard_in_order_of_time_then_name():
    rows = [
        RosterRow("c", fields={"timestamp": "2022-08-02"}),
        RosterRow("b", fields={"timestamp": "2022-08-03"}),
        RosterRow("a", fields={"timestamp": "2022-08-03"}),
        RosterRow("z", place="0001"),
        RosterRow("d", reason="hidden file"),
    ]
    placed = {row.image: row.place for row in assign_shards(rows, 2)}
    assert placed == {"c": "0001", "a": "0002", "b": "0002", "z": "0001", "d": ""}


def test_an_image_larger_than_a_shard_has_its_own():
    placed = assign_shards(rows_of("a", "b", "c"), 4, lambda row: 9 if row.image == "b" else 1)
    assert [row.place for row in placed] == ["0000", "0001", "0002"]


class Growth(RuleBasedStateMachine):
    """Files come, go, are rewritten and settle, and the shard size is changed in between."""

    def __init__(self):
        super().__init__()
        self.rows: list[RosterRow] = []
        self.size = 3
        self.largest = 3

    def plan(self, rows):
        before = {row.image: row.place for row in self.rows if row.place}
        self.rows = assign_shards(sorted(rows, key=lambda row: row.image), self.size)
        for row in self.rows:
            assert row.place == before.get(row.image, row.place), "a known image moved"
            assert bool(row.place) or bool(row.reason)

    @rule(names=st.sets(st.integers(0, 60), max_size=8))
    def add(self, names):
        known = {row.image for row in self.rows}
        new = [f"{n:02d}" for n in names if f"{n:02d}" not in known]
        self.plan([*self.rows, *rows_of(*new)])

    @rule(names=st.sets(st.integers(0, 60), max_size=8))
    def remove(self, names):
        self.plan([row for row in self.rows if int(row.image) not in names])

    @rule(number=st.integers(0, 60), reason=st.sampled_from(["", "still being written"]))
    def rewrite(self, number, reason):
        hit = f"{number:02d}"
        self.plan([replace(r, reason=reason) if r.image == hit else r for r in self.rows])

    @rule(size=st.integers(1, 5))
    def resize(self, size):
        self.size = size
        self.largest = max(self.largest, size)

    @invariant()
    def no_shard_is_too_large(self):
        shards = Roster("e", "s", tuple(self.rows)).by_shard
        assert all(len(rows) <= self.largest for rows in shards.values())


TestGrowth = Growth.TestCase
TestGrowth.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@given(st.integers(1, 40), st.integers(1, 7))
def test_a_first_plan_fills_every_shard_but_the_last(count, size):
    names = [f"{n:03d}" for n in range(count)]
    roster = Roster("e", "s", tuple(assign_shards(rows_of(*names), size)))
    sizes = [len(rows) for rows in roster.by_shard.values()]
    assert sum(sizes) == count
    assert sizes[:-1] == [size] * (len(sizes) - 1)
    assert roster.shards == [f"{n:04d}" for n in range(len(sizes))]


def test_shards_are_sorted_by_number():
    rows = (RosterRow("a", place="10000"), RosterRow("b", place="9999"))
    assert Roster("e", "s", rows).shards == ["9999", "10000"]


def changed(roster, **values):
    rows = (replace(roster.rows[0], **values), *roster.rows[1:])
    return replace(roster, rows=rows)


ROSTER = Roster(
    "e",
    "s",
    (
        RosterRow("a", "1-1", "0000", fields={"pot": "A1", "genotype": "Col-0"}),
        RosterRow("b", "1-1", "0000"),
        RosterRow("c", "1-1", "0001"),
        RosterRow("d", reason="hidden file"),
    ),
)


@pytest.mark.parametrize(
    ("values", "shard_changes"),
    [
        ({"version": "2-1"}, True),
        ({"image": "a2"}, True),
        ({"reason": "hidden file"}, True),
        ({"fields": {"pot": "A2", "genotype": "Col-0"}}, True),
        ({"fields": {"pot": "A1", "genotype": "Col-0", "camera": "C"}}, True),
        ({"fields": {"pot": "A1", "genotype": "Is-1"}}, False),
        ({"fields": {"pot": "A1", "genotype": "Col-0", "further": "x"}}, False),
    ],
)
def test_digests_cover_what_matters(values, shard_changes):
    after = changed(ROSTER, **values)
    assert after.digest != ROSTER.digest
    assert (after.shard_digest("0000") != ROSTER.shard_digest("0000")) == shard_changes
    assert after.shard_digest("0001") == ROSTER.shard_digest("0001")


def test_digests_do_not_depend_on_the_place_a_dropped_file_waits_for():
    rows = (*ROSTER.rows[:3], replace(ROSTER.rows[3], place="0001"))
    waiting = replace(ROSTER, rows=rows)
    assert waiting.digest == ROSTER.digest
    assert waiting.rows[3].shard == ""


def test_a_shard_that_is_not_there_is_named():
    with pytest.raises(StoreError, match="image set 's' has no shard '0007'"):
        ROSTER.shard_digest("0007")
