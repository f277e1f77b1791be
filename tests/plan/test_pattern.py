"""File names are read as the pattern says, or not at all."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phenopipe.config import PlanSettings, check_block
from phenopipe.errors import ConfigError, InputError
from phenopipe.plan.pattern import FilePattern

IS1 = (
    "{shot}_{timestamp:%Y_%m_%d_%H_%M_%S}-{cycle}-{position}-{table}-{camera}"
    "_pot_{pot}_{genotype}-{replicate}_rgb.png"
)
word = st.text("abcXYZ019.+()[]äß ", min_size=1, max_size=8)


def test_a_greenhouse_name_with_hyphens_in_the_genotype():
    name = "1000775_2022_08_02_17_01_08-7-1-TD05-RGB1_pot_D3_Is-1-38_rgb.png"
    assert FilePattern(IS1, "Australia/Melbourne").read(name) == {
        "shot": "1000775",
        "timestamp": "2022-08-02T17:01:08+10:00",
        "cycle": "7",
        "position": "1",
        "table": "TD05",
        "camera": "RGB1",
        "pot": "D3",
        "genotype": "Is-1",
        "replicate": "38",
    }


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)), word, word, st.integers(0, 10**9))
@example(datetime(2024, 2, 29, 23, 59, 59), "a.b", "(", 0)
def test_written_names_are_read_back(moment, camera, pot, shot):
    pattern = FilePattern("{shot:digits}-{timestamp:%Y%m%d_%H%M%S}_{camera}_{{{pot}}}.png")
    name = f"{shot}-{moment:%Y%m%d_%H%M%S}_{camera}_{{{pot}}}.png"
    assert pattern.read(name) == {
        "shot": str(shot),
        "timestamp": moment.replace(microsecond=0).isoformat() + "+00:00",
        "camera": camera,
        "pot": pot,
    }


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{a}-{b}", "x-y-z", {"a": "x-y", "b": "z"}),
        ("{a}_{b}_{c}", "1_2_3_4", {"a": "1_2", "b": "3", "c": "4"}),
        ("{row}{col:digits}", "B12", {"row": "B1", "col": "2"}),
        ("{pot}.png", "two\nlines.png", {"pot": "two\nlines"}),
        ("{pot:digits}.png", "x1.png", None),
        ("{pot}.png", ".png", None),
        ("{pot}.png", "a.png.png.tmp", None),
        ("a.c", "abc", None),
        ("{tray}/{pot}.png", "t1/p1.png", {"tray": "t1", "pot": "p1"}),
        ("{tray}/{pot}.png", "t1/x/p1.png", None),
    ],
)
def test_fields_are_greedy_from_the_left_and_the_whole_name_must_match(pattern, name, expected):
    assert FilePattern(pattern).read(name) == expected


@pytest.mark.parametrize(
    ("form", "text", "iso"),
    [
        ("%y%j%H%M", "223651201", "2022-12-31T12:01:00+01:00"),
        ("%d %b %Y %I%p", "01 Jul 2022 03PM", "2022-07-01T15:00:00+02:00"),
        ("%Y-%m-%dT%H%M%S.%f", "2022-01-02T030405.25", "2022-01-02T03:04:05.250000+01:00"),
        ("%Y%m%d%H%z", "2022010203-0500", "2022-01-02T03:00:00-05:00"),
        ("%Y-%m-%d", "2022-8-2", "2022-08-02T00:00:00+02:00"),
    ],
)
def test_times_get_the_offset_of_their_zone(form, text, iso):
    assert FilePattern(f"{{timestamp:{form}}}", "Europe/Berlin").read(text) == {"timestamp": iso}


@pytest.mark.parametrize("date", ["20221302", "20220230", "20220000"])
def test_an_impossible_date_is_said(date):
    with pytest.raises(ValueError, match=f"no such date and time as '{date}'"):
        FilePattern("{timestamp:%Y%m%d}_{pot}").read(f"{date}_A1")


@pytest.mark.parametrize("year", ["0001", "1970", "2201", "9999"])
def test_a_time_out_of_range_is_said(year):
    with pytest.raises(ValueError, match=rf"{year}-01-01T00:00:00 is not in 1971\.\.2200"):
        FilePattern("{timestamp:%Y%m%d}", "Europe/Berlin").read(f"{year}0101")


def test_a_zone_whose_offset_had_seconds_is_said():
    with pytest.raises(ValueError, match="offset that is no whole minutes"):
        FilePattern("{timestamp:%Y%m%d}", "Africa/Monrovia").read("19710601")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{pot}_{pot}", r"\{pot\} is there twice"),
        ("{pot", "unbalanced braces"),
        ("pot}", "unbalanced braces"),
        ("{}", "no name of a field"),
        ("{pot.x}", "no name of a field"),
        ("{pot!r}", "no name of a field"),
        ("{pot-1}", "no name of a field"),
        ("{status}", "name of a column"),
        ("{pot:hex}", "unknown format"),
        ("{day:%Y%m%d}", "unknown format"),
        ("{timestamp:%Y%m%d_%Q}", "unknown directive %Q"),
        ("{timestamp:%Y%m%d%}", "unknown directive %"),
        ("{timestamp:%H%M}", "needs year, month and day"),
        ("{timestamp}", "needs year, month and day"),
    ],
)
def test_an_invalid_pattern_is_one_clear_error(pattern, message):
    with pytest.raises(InputError, match=message):
        FilePattern(pattern)
    with pytest.raises(ConfigError, match=rf"^c\.yaml: plan\.pattern: .*{message}") as caught:
        check_block(_Holder, {"plan": {"pattern": pattern}}, "c.yaml")
    assert len(caught.value.problems) == 1


def test_a_hostile_name_takes_no_time():
    pattern = FilePattern("-".join(f"{{f{n}}}" for n in range(9)) + "_end")
    start = time.process_time()
    with pytest.raises(ValueError, match="too many ways"):
        pattern.read("-" * 250)
    assert time.process_time() - start < 5


class _Holder(PlanSettings.__base__):
    plan: PlanSettings


@pytest.mark.parametrize(
    ("form", "text", "time"),
    [
        ("%Y%m%d_%H%M%S", "20260102_030405", "2026-01-02T03:04:05+00:00"),
        ("%d.%m.%Y %H-%M", "02.01.2026 03-04", "2026-01-02T03:04:00+00:00"),
        ("%Y-%m-%d_%S", "2026-01-02_05", "2026-01-02T00:00:05+00:00"),
        ("%Y%j", "2026033", "2026-02-02T00:00:00+00:00"),
        ("%d%b%Y_%I%p", "02Jan2026_03PM", "2026-01-02T15:00:00+00:00"),
        ("%Y%m%d%%%H", "20260102%03", "2026-01-02T03:00:00+00:00"),
        ("%Y%m%d_%f", "20260102_25", "2026-01-02T00:00:00.250000+00:00"),
    ],
)
def test_times_are_what_strptime_reads(form: str, text: str, time: str) -> None:
    assert FilePattern(f"{{timestamp:{form}}}").read(text) == {"timestamp": time}
    assert time == datetime.strptime(text, form).replace(tzinfo=UTC).isoformat()
