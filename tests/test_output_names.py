"""Names of outputs: the stem, longer only where it must be, never one name twice."""

from __future__ import annotations

import os
import string
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phenopipe.errors import InputError
from phenopipe.output_names import output_names

PARTS = st.text(string.ascii_lowercase[:2] + "_", min_size=1, max_size=3)
FILES = st.builds(
    lambda folders, stem, ending: "/".join([*folders, stem + ending]),
    *(st.lists(PARTS, max_size=3), PARTS, st.sampled_from([".png", ".jpg"])),
)


def touch(root: Path, *names: str) -> list[Path]:
    paths = [root / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return paths


@pytest.mark.parametrize(
    ("given_names", "expected"),
    [
        (["a.png"], ["a"]),
        (["n1/a.png", "n1/b.png"], ["a", "b"]),
        (["n1/a.png", "n2/a.png", "n2/b.png"], ["n1_a", "n2_a", "b"]),
        (["x/n1/a.png", "y/n1/a.png", "y/n2/a.png"], ["x_n1_a", "y_n1_a", "n2_a"]),
        (["a.png", "a.jpg", "b.png"], ["a_png", "a_jpg", "b"]),
        (["n1/a.png", "n1/a.jpg", "n2/a.png"], ["a_png", "a_jpg", "a"]),
        (["n1/a.png", "n2/a.png", "c/n1_a.png"], ["n1_a", "n2_a", "c_n1_a"]),
        (["it's (1) $(x).png"], ["it's (1) $(x)"]),
    ],
)
def test_examples(tmp_path: Path, given_names: list[str], expected: list[str]) -> None:
    paths = touch(tmp_path / "root", *given_names)
    names = output_names(paths)
    assert list(names) == paths
    found = list(names.values())
    if "c/n1_a.png" in given_names:  # both bear the name once: both grow until they differ
        assert found[0].endswith("n1_a")
        assert len(set(found)) == 3
    else:
        assert found == expected


@given(st.lists(FILES, min_size=1, max_size=8, unique=True))
@settings(max_examples=60, deadline=None)
def test_no_name_twice_and_each_a_file_name(files: list[str]) -> None:
    with TemporaryDirectory() as folder:
        names = output_names(touch(Path(folder), *files))
    assert len(set(names.values())) == len(files)
    assert not any("/" in name for name in names.values())
    stems = [path.stem for path in names]
    if len(set(stems)) == len(stems):
        assert list(names.values()) == stems


def test_folders_that_join_to_one_name(tmp_path: Path) -> None:
    paths = touch(tmp_path, "a_b/c.png", "a/b/c.png", "b/c.png", "z_a_b/c.png")
    assert len(set(output_names(paths).values())) == 4


def test_relative_paths_find_their_folder(tmp_path: Path, monkeypatch) -> None:
    touch(tmp_path, "n1/a.png", "n2/a.png")
    monkeypatch.chdir(tmp_path / "n1")
    names = output_names([Path("a.png"), Path("../n2/a.png")])
    assert list(names.values()) == ["n1_a", "n2_a"]


def test_a_link_bears_its_own_name(tmp_path: Path) -> None:
    (target,) = touch(tmp_path, "store/0815.png")
    (tmp_path / "latest.png").symlink_to(target)
    assert output_names([tmp_path / "latest.png"]) == {tmp_path / "latest.png": "latest"}


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    (there,) = touch(tmp_path, "a.png")
    (tmp_path / "folder").mkdir()
    undecodable = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    again = tmp_path / "folder" / ".." / "a.png"
    with pytest.raises(InputError) as caught:
        output_names([there, again, tmp_path / "none.png", tmp_path / "folder", undecodable])
    assert list(caught.value.problems) == [
        f"{tmp_path}/none.png: no such file",
        f"{tmp_path}/folder: is a folder; give its pictures",
        f"{tmp_path}/\\xff.png: its name is no UTF-8; rename it",
        f"{there}: is given 2 times",
    ]
