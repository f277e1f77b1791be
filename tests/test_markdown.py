from __future__ import annotations

from phenopipe.markdown import fill_parts, markdown_table

PAGE = """# T
<!-- generated: a -->
old a
<!-- end of generated -->
kept
<!-- generated: b -->
<!-- end of generated -->
"""


def test_every_part_is_filled_by_its_name() -> None:
    filled = fill_parts(PAGE, lambda name: f"new {name}\n")
    assert filled == PAGE.replace("old a\n", "new a\n").replace("b -->\n", "b -->\nnew b\n")
    assert fill_parts(filled, lambda name: f"new {name}\n") == filled


def test_text_is_not_taken_for_a_pattern() -> None:
    assert "\\1 \\g<0>\n" in fill_parts(PAGE, lambda _: "\\1 \\g<0>\n")


def test_table() -> None:
    assert markdown_table(("a", "b"), [("1", "")]) == "| a | b |\n| --- | --- |\n| 1 |  |\n"
