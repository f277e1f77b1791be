"""Nothing half-written stays under a final name."""

from __future__ import annotations

from pathlib import Path

import pytest

from phenopipe.files import write_aside, write_text


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new folder" / "a b.txt"
    write_text(target, "grün\n")
    assert target.read_bytes() == "grün\n".encode()
    assert [p.name for p in target.parent.iterdir()] == ["a b.txt"]


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
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (target / "old" if folder else target).read_text() == "old"
    assert not (target / "half").exists()


def test_a_folder_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "store"
    for name in ("first", "second"):
        with write_aside(target) as part:
            part.mkdir()
            (part / name).touch()
    assert [p.name for p in target.iterdir()] == ["second"]
