from __future__ import annotations

import pytest

from phenopipe.errors import InputError
from phenopipe.tabulate import read_plants_sheet


@pytest.fixture
def write(tmp_path):
    def write_sheet(content, encoding="utf-8"):
        path = tmp_path / "plants.csv"
        path.write_bytes(content.encode(encoding))
        return path

    return write_sheet


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_reads_what_spreadsheets_write(write, delimiter, newline):
    lines = [("pot", "genotype"), ("A1", " Is-1 "), ("", ""), ("007", "Zürich, NA")]
    quoted = [[f'"{cell}"' for cell in line] for line in lines]
    content = "\ufeff" + newline.join(delimiter.join(line) for line in quoted)
    sheet = read_plants_sheet(write(content))
    assert sheet.to_dict("list") == {"pot": ["A1", "007"], "genotype": ["Is-1", "Zürich, NA"]}


def test_all_problems_at_once(write):
    path = write("pot,plant_id\nA1,p\n,q\nA1,r\nB2,p\n")
    with pytest.raises(InputError) as caught:
        read_plants_sheet(path)
    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}: line 3: pot is empty",
        f"{path}: line 4: same pot as line 2",
        f"{path}: line 5: plant_id 'p' stands on line 2 already",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("place,genotype\nA1,x\n", "column 'pot' is missing (there are: place, genotype)"),
        ("pot,tray\nA1,x\n", "nothing to add"),
        ("pot,genotype,genotype\nA1,x,y\n", "column 'genotype' appears twice"),
        ("pot,genotype,\nA1,x,\n", "a column has no name"),
        ("pot,timestamp\nA1,x\n", "column 'timestamp' is not for a plants sheet to say"),
        ("pot,genotype,image\nA1,x,y\n", "column 'image' is not for a plants sheet to say"),
        ("pot,experiment\nA1,x\n", "take it out, or rename it"),
        ("pot,genotype\nA1,x,y\n", "line 2: has 3 cells, the header has 2"),
        ("\n\n", "is empty"),
        ('pot,genotype\nA1,"Col-0\nA2,Ler\nA3,Ws\n', "a quotation mark ends with one"),
        ('pot,genotype\nA1,"Col-0\n' + "A2,Ler\n" * 20_000, "a quotation mark ends with one"),
    ],
)
def test_wrong_sheets(write, content, message):
    path = write(content)
    with pytest.raises(InputError) as caught:
        read_plants_sheet(path)
    assert message in str(caught.value) and str(path) in str(caught.value)


def test_same_pot_in_two_trays_or_sets_is_fine(write):
    sheet = read_plants_sheet(write("image_set,tray,pot,plant_id\n1,a,1,p\n1,b,1,q\n2,a,1,p\n"))
    assert len(sheet) == 3


def test_not_utf8(write):
    with pytest.raises(InputError, match="is not UTF-8"):
        read_plants_sheet(write("pot,genotype\nA1,Zürich\n", encoding="latin-1"))


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_plants_sheet(tmp_path / "none.csv")
