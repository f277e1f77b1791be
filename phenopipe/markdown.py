"""Parts of Markdown documents that are generated, so that they cannot drift from the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)


def fill_parts(text: str, generate: Callable[[str], str]) -> str:
    """Fill in every generated part of a document.

    Parameters
    ----------
    text : str
        Document with parts between ``<!-- generated: NAME -->`` and
        ``<!-- end of generated -->``.
    generate : callable
        Returns what belongs into the part of a name, ending in a line break.

    Returns
    -------
    str
        The same document, each part as it should be.
    """
    return _PART.sub(lambda part: f"{part[1]}{generate(part[2])}{part[3]}", text)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, one line a row.

    Examples
    --------
    >>> print(markdown_table(("a", "b"), [("1", "2")]), end="")
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
