"""Sample sheets: what they say is taken, and every mistake in them is named at once."""

from __future__ import annotations

import pytest

from phenopipe.errors import InputError
from phenopipe.plan import find_sets, make_roster, set_key

#: Far enough ahead that every file of a test has settled.
LATER = 4e9


@pytest.fixture
def sheet(tmp_path, configure):
    def write(text, name="sheet.tsv", **plan):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return configure(sample_sheet=str(path), **plan)

    return write


def problems(config):
    with pytest.raises(InputError) as caught:
        find_sets(config)
    return [line.rpartition("/sheet.")[2] for line in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "sep"), [("sheet.tsv", "\t"), ("sheet.csv", ","), ("sheet.csv", ";")]
)
def test_rows_become_images_with_metadata(sheet, add, name, sep):
    add("x/a.png", "b.jpg", "unlisted.png")
    config = sheet(
        "\ufeffimage_set,image,timestamp,pot,note\r\nn 1,x//a.png,2022-08-02T17:01:08,A1,wet\r\n"
        "n2,b.jpg,2022-08-02T17:01:08Z,,\r\n\r\n".replace(",", sep),
        name,
        timezone="Europe/Berlin",
    )
    assert find_sets(config) == ["n%201", "n2"]
    (row,) = make_roster(config, "n%201", now=LATER).rows
    assert (row.image, row.shard) == ("x/a.png", "0000")
    assert row.fields == {"timestamp": "2022-08-02T17:01:08+02:00", "pot": "A1", "note": "wet"}
    (row,) = make_roster(config, "n2", now=LATER).rows
    assert row.fields == {"timestamp": "2022-08-02T17:01:08+00:00"}


def test_a_set_whose_name_no_file_could_bear(sheet, add):
    add("a.png")
    name = ("night " * 40).strip()
    (problem,) = problems(sheet(f"image_set\timage\n{name}\ta.png\n"))
    assert problem.startswith(f"image set '{name}' has too long a name")


def test_a_missing_column_is_named(sheet):
    assert problems(sheet("image|image_set\n", "sheet.csv")) == [
        "csv: line 1, column image_set: is missing; the first line has image|image_set",
        "csv: line 1, column image: is missing; the first line has image|image_set",
    ]
    assert "the first line has nothing" in problems(sheet(""))[0]


def test_a_column_twice_and_one_that_is_taken(sheet):
    assert problems(sheet("image_set\timage\tpot\tpot\tstatus\n")) == [
        "tsv: line 1, column pot: has no name, or is there twice",
        "tsv: line 1, column status: bears the name of a column that phenopipe fills",
    ]


def test_every_mistake_is_listed_with_its_line_and_column(sheet, add, image_root, tmp_path):
    add("a.png", "b.png")
    (image_root / "far.png").symlink_to(tmp_path / "out.png")
    (tmp_path / "out.png").write_text("x")
    text = (
        "image_set\timage\ttimestamp\nn\ta.png\t\nn\t./a.png\t\nn\t../out.png\t\n"
        "n\t/etc/passwd\t\nn\tfar.png\t\nn\tlost.png\t\nn\t\t\n\tb.png\tyesterday\nn\n"
    )
    found = problems(sheet(text))
    assert [line.removeprefix("tsv: line ") for line in found] == [
        "3, column image: ./a.png is listed already in line 2",
        "4, column image: ../out.png leaves plan.image_root",
        "5, column image: /etc/passwd leaves plan.image_root",
        "6, column image: far.png is a link that leaves plan.image_root",
        f"7, column image: lost.png: No such file or directory below {image_root}",
        "8, column image: is no path",
        "9, column image_set: is empty",
        "9, column timestamp: yesterday is no ISO 8601 time, such as 2022-08-02T17:01:08",
        "10: has 1 cells, the first line 3",
    ]


def test_times_that_cannot_be_reckoned_with_are_mistakes(sheet, add):
    times = ("0001-01-01", "9999-12-31T23:59:59Z", "2022-08-02T17:01:08+01:00:30", "2200-12-31")
    add(*(f"{i}.png" for i in range(len(times))))
    rows = "".join(f"n\t{i}.png\t{time}\n" for i, time in enumerate(times))
    assert problems(sheet(f"image_set\timage\ttimestamp\n{rows}")) == [
        "tsv: line 2, column timestamp: the time 0001-01-01T00:00:00 is not in 1971..2200",
        "tsv: line 3, column timestamp: the time 9999-12-31T23:59:59+00:00 is not in 1971..2200",
        "tsv: line 4, column timestamp: the time 2022-08-02T17:01:08+01:00:30 has an offset "
        "that is no whole minutes",
    ]


def test_many_mistakes_are_counted(sheet):
    rows = "".join(f"n\tlost{i}.png\n" for i in range(70))
    found = problems(sheet(f"image_set\timage\n{rows}"))
    assert len(found) == 51
    assert found[-1].endswith("and 20 more problems")


def test_sets_of_the_configuration_choose_among_those_of_the_sheet(sheet, add):
    add("a.png", "b.png")
    text = "image_set\timage\nn1\ta.png\nn2\tb.png\n"
    assert find_sets(sheet(text, sets=["n2"])) == ["n2"]
    assert problems(sheet(text, sets=["n3"])) == ["tsv: has no image set 'n3'; see plan.sets"]


def test_a_sheet_that_lists_nothing_or_is_no_table(sheet, configure, tmp_path):
    assert problems(sheet("image_set\timage\n")) == ["tsv: lists no images"]
    assert "ends in .csv, .tsv" in problems(sheet("", "sheet.xlsx"))[0]
    (tmp_path / "sheet.csv").write_bytes(b"image_set,image\n\xff\xfe,a\n")
    assert "is no table in UTF-8" in problems(configure(sample_sheet=f"{tmp_path}/sheet.csv"))[0]
    lost = configure(sample_sheet=f"{tmp_path}/lost/sheet.csv")
    assert problems(lost) == ["csv: cannot be read (No such file or directory)"]


def test_a_listed_file_that_is_no_image_is_dropped(sheet, add):
    add("notes.txt", "a_fg.png")
    roster = make_roster(sheet("image_set\timage\nn\tnotes.txt\nn\ta_fg.png\n"), "n", now=LATER)
    assert [(r.image, r.reason) for r in roster.rows] == [
        ("a_fg.png", ""),
        ("notes.txt", "not an image (plan.extensions)"),
    ]


@pytest.mark.parametrize(
    "odd", ["two\nlines.png", 'say "x".png', "$(x) y.png", "tab\t.png", "é.png"]
)
def test_odd_names_are_listed_as_any_other(sheet, add, odd):
    add(odd)
    quoted = '"' + odd.replace('"', '""') + '"'
    config = sheet(f"image_set\timage\n{quoted}\t{quoted}\n")
    assert find_sets(config) == [set_key(odd)]
    assert make_roster(config, set_key(odd), now=LATER).kept[0].image == odd


def test_spaces_around_cells_make_no_other_sets_and_plants(sheet, add):
    add("a.png", "b .png")
    padded = "image_set,image,pot,genotype\nn1 ,a.png, A1,Col-0 \nn1,b .png,A2 , Col-0\n"
    config = sheet(padded, "sheet.csv")
    assert find_sets(config) == ["n1"]
    rows = make_roster(config, "n1", now=LATER).kept
    assert [row.image for row in rows] == ["a.png", "b .png"]
    assert [dict(row.fields) for row in rows] == [
        {"pot": pot, "genotype": "Col-0"} for pot in ("A1", "A2")
    ]
