"""Nothing half-written stays under a final name, and nothing is left beside it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from phenopipe.errors import InputError, StoreError
from phenopipe.files import ABANDONED_AFTER_S, abandoned_parts, write_aside, write_text, writing

KILLED = """
import sys, time
from phenopipe.files import write_aside
with write_aside(sys.argv[1]) as part:
    part.mkdir()
    (part / "half").write_text("half")
    print(part, flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def killed(tmp_path):
    """Give a function that starts to write `out` in a process that is killed in the middle."""

    def run(name="out"):
        command = [sys.executable, "-c", KILLED, str(tmp_path / name)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        part = Path(process.stdout.readline().strip())
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        return part

    return run


def of_another_machine(part: Path) -> Path:
    """Rename a part so that it seems to come from elsewhere."""
    other = part.with_name(re.sub(r"\.[0-9a-f]{8}-", ".00000000-", part.name))
    assert other != part
    return part.rename(other)


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new folder" / "a b.txt"
    write_text(target, "grün\n")
    assert target.read_bytes() == "grün\n".encode()
    assert names(target.parent) == ["a b.txt"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_failure_leaves_what_was_there(tmp_path: Path, folder: bool) -> None:
    target = tmp_path / "out"
    if folder:
        target.mkdir()
        (target / "old").write_text("old")
    else:
        target.write_text("old")
    with pytest.raises(ZeroDivisionError), write_aside(target) as part:
        if folder:
            part.mkdir()
            (part / "half").write_text("half")
        else:
            part.write_text("half")
        raise ZeroDivisionError
    assert names(tmp_path) == ["out"]
    assert (target / "old" if folder else target).read_text() == "old"
    assert not (target / "half").exists()


@pytest.mark.parametrize("first", ["file", "folder"])
@pytest.mark.parametrize("second", ["file", "folder"])
def test_what_stands_there_is_replaced(tmp_path: Path, first: str, second: str) -> None:
    target = tmp_path / "out"

    def write(number: int, kind: str) -> None:
        with write_aside(target) as part:
            if kind == "folder":
                part.mkdir()
                (part / str(number)).touch()
            else:
                part.write_text(str(number))

    write(0, first)
    if (first, second) == ("folder", "file"):  # nobody means to lose a folder for a file
        with pytest.raises(StoreError, match="out: cannot be written"):
            write(1, second)
        assert names(target) == ["0"]
    else:
        write(1, second)
        assert (names(target) if second == "folder" else [target.read_text()]) == ["1"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("name", [".", "/"])
def test_a_place_without_a_name(name: str) -> None:
    with pytest.raises(StoreError, match="is a folder; name a file"), write_aside(name):
        pass


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 127)
    write_text(target, "text")
    assert names(tmp_path) == [target.name]


def test_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with write_aside(target) as one, write_aside(target) as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert names(tmp_path) == ["out"]
    texts = [str(number) * 5_000 for number in range(10)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_text(target, text), texts * 10))
    assert target.read_text() in texts
    assert names(tmp_path) == ["out"]


def test_the_parts_of_a_killed_process_are_removed(tmp_path: Path, killed) -> None:
    part = killed()
    assert (part / "half").exists() and not (tmp_path / "out").exists()
    write_text(tmp_path / "other", "text")
    assert part.exists()
    write_text(tmp_path / "out", "text")
    assert names(tmp_path) == ["other", "out"]


def test_a_part_of_an_output_with_a_longer_name_stays(tmp_path: Path, killed) -> None:
    part = killed("out.tsv")
    write_text(tmp_path / "out", "text")
    assert part.exists()


def test_the_part_of_a_living_process_stays(tmp_path: Path) -> None:
    target = tmp_path / "out"
    context = multiprocessing.get_context("fork")
    with write_aside(target) as part:
        part.write_text("slow")
        other = context.Process(target=write_text, args=(target, "quick"))
        other.start()
        other.join()
        assert part.read_text() == "slow"
        assert target.read_text() == "quick"
    assert target.read_text() == "slow"


@pytest.mark.parametrize(("age", "stays"), [(0, True), (ABANDONED_AFTER_S + 60, False)])
def test_a_part_of_another_machine_is_removed_once_it_is_old(
    tmp_path: Path, killed, age: float, stays: bool
) -> None:
    part = of_another_machine(killed())
    then = time.time() - age
    for path in (part / "half", part):
        os.utime(path, (then, then))
    write_text(tmp_path / "out", "text")
    assert part.exists() == stays


def test_abandoned_parts_are_found_wherever_they_are(tmp_path: Path, killed) -> None:
    (tmp_path / "set").mkdir()
    mine = killed()
    old, new = (
        tmp_path / f"set/.{name}.zarr.00000000-1-0a1b2c3d.part" for name in ("0000", "0001")
    )
    for part, time_ in ((old, 1e9), (new, time.time())):
        part.write_text("half")
        os.utime(part, (time_, time_))
    with write_aside(tmp_path / "set/living") as living:
        living.write_text("half")
        assert sorted(abandoned_parts(tmp_path)) == sorted([mine, old])


def test_a_part_that_still_grows_is_not_old(tmp_path: Path, killed) -> None:
    part = of_another_machine(killed())
    then = time.time() - 2 * ABANDONED_AFTER_S
    os.utime(part, (then, then))  # the folder is old, the file in it is not
    write_text(tmp_path / "out", "text")
    assert part.exists()


def test_a_full_disk_is_one_line(small_disk) -> None:
    disk = small_disk(64)
    (disk / "a.txt").write_text("old")
    with pytest.raises(StoreError) as caught:
        write_text(disk / "a.txt", "x" * 100_000)
    assert caught.value.problems == (f"{disk}/a.txt: cannot be written (no space left on device)",)
    assert names(disk) == ["a.txt"]
    assert (disk / "a.txt").read_text() == "old"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/a\.txt: cannot be written \(file exists\)"):
        write_text(tmp_path / "file/a.txt", "text")


@pytest.mark.parametrize(
    "error",
    [InputError("a: is wrong"), ConnectionRefusedError(errno.ECONNREFUSED, "no"), TimeoutError()],
)
def test_errors_that_are_not_of_writing_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, writing("a"):
        raise error
    assert caught.value is error
