"""Names of what is written for each of many pictures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from phenopipe.errors import InputError
from phenopipe.plan.names import is_text, printable, set_key


def output_names(images: Sequence[Path]) -> dict[Path, str]:
    """Name the outputs of each picture: its stem, or folders and stem where stems are shared.

    Parameters
    ----------
    images : sequence of Path
        Picture files.

    Returns
    -------
    dict of Path to str
        A name for each, none of them twice. Only pictures that share a stem have a longer name:
        as many of their folders as it takes joined by ``_``; two of one folder (``a.png`` and
        ``a.jpg``) have their ending joined.

    Raises
    ------
    InputError
        If a picture is missing, is given twice, or has a name that is no UTF-8.

    Examples
    --------
    >>> output_names([])
    {}
    """
    _check(images)
    absolute = {path: _absolute(path) for path in images}
    twins = Counter((path.parent, path.stem) for path in absolute.values())
    names = {path: path.stem for path in images}
    for depth in range(1 + max((len(path.parts) for path in absolute.values()), default=0)):
        shared = Counter(names.values())
        if len(shared) == len(names):
            return names
        for path, full in absolute.items():
            if shared[names[path]] > 1:
                names[path] = _join(full, depth, twins[full.parent, full.stem] > 1)
    # Only folders that hold "_" themselves get here: a_b/c.png and a/b/c.png.
    shared = Counter(names.values())
    return {
        path: set_key(str(absolute[path])) if shared[name] > 1 else name
        for path, name in names.items()
    }


def _join(path: Path, depth: int, with_ending: bool) -> str:
    folders = path.parent.parts[1:]
    name = path.name.replace(".", "_") if with_ending else path.stem
    return "_".join((*folders[max(0, len(folders) - depth) :], name))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - a link keeps its own name


def _check(images: Sequence[Path]) -> None:
    problems = [_problem(path) for path in dict.fromkeys(images)]
    times = Counter(map(_absolute, images))
    problems += [f"{path}: is given {n} times" for path, n in times.items() if n > 1]
    if found := [problem for problem in problems if problem]:
        raise InputError(*found)


def _problem(path: Path) -> str:
    if not is_text(str(path)):
        shown = os.fsencode(path).decode(errors="backslashreplace")
        return f"{printable(shown)}: its name is no UTF-8; rename it"
    if path.is_dir():
        return f"{path}: is a folder; give its pictures"
    return "" if path.is_file() else f"{path}: no such file"
