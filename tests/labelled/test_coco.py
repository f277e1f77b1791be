"""COCO: outlines of every kind against the pixels they were made from, and what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from labelled_scenes import LEAVES, label_map, picture, save

from phenopipe.errors import InputError
from phenopipe.labelled import list_coco
from phenopipe.labelled.outline import read_outline

LABELS = label_map()


def polygon(leaf: tuple[int, int, int, int]) -> list[list[float]]:
    top, bottom, left, right = leaf
    return [[left, top, right, top, right, bottom, left, bottom]]


def runs(number: int) -> dict:
    """Count runs down the columns, as COCO does, without its library."""
    flat = (number == LABELS).T.ravel().astype(int)
    ends = np.flatnonzero(np.diff(flat, prepend=0)).tolist()
    counts = np.diff([0, *ends, flat.size]).tolist()
    return {"counts": counts, "size": list(LABELS.shape)}


def coco(**changes) -> dict:
    annotations = [
        {"id": 1, "image_id": 7, "category_id": 3, "segmentation": polygon(LEAVES[0])},
        {"id": 2, "image_id": 7, "category_id": 3, "segmentation": runs(2), "iscrowd": 0},
        {"id": 3, "image_id": 7, "category_id": 3, "segmentation": polygon(LEAVES[2])},
    ]
    image = {"id": 7, "file_name": "a.png", "width": 48, "height": 40}
    categories = [{"id": 3, "name": "leaf"}, {"id": 4, "name": "pot"}]
    return {"images": [image], "annotations": annotations, "categories": categories} | changes


def write(folder: Path, data: object) -> Path:
    save(folder / "a.png", picture(LABELS))
    path = folder / "instances.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_polygons_and_runs_are_the_pixels_they_were_made_from(tmp_path: Path) -> None:
    (found,) = list_coco(write(tmp_path, coco()))
    assert found.name == "a.png"
    assert np.array_equal(found.read().labels, LABELS)


def test_parts_of_a_leaf_are_one_leaf_and_the_later_lies_on_top(tmp_path: Path) -> None:
    data = coco()
    data["annotations"] = [
        data["annotations"][0] | {"segmentation": [*polygon(LEAVES[0]), *polygon(LEAVES[1])]},
        data["annotations"][1] | {"segmentation": polygon((10, 20, 10, 30))},
    ]
    labels = list_coco(write(tmp_path, data))[0].read().labels
    expected = np.where((LABELS == 1) | (LABELS == 2), 1, 0)
    expected[10:20, 10:30] = 2
    assert np.array_equal(labels, expected)


@pytest.mark.parametrize(
    "name", ["images/a.png", "images\\a.png", "/data/upload/1/a.png", "./a.png", "../a.png"]
)
def test_names_as_label_studio_and_cvat_write_them(tmp_path: Path, name: str) -> None:
    data = coco(images=[{"id": 7, "file_name": name}])
    path = write(tmp_path, data)
    assert list_coco(path)[0].image == tmp_path / "a.png"
    (tmp_path / "images").mkdir()
    (tmp_path / "a.png").rename(tmp_path / "images" / "a.png")
    assert list_coco(path, tmp_path / "images")[0].image == tmp_path / "images" / "a.png"


def test_categories_are_chosen_by_name(tmp_path: Path) -> None:
    data = coco()
    data["annotations"][0]["category_id"] = 4
    path = write(tmp_path, data)
    assert list_coco(path, categories=["leaf"])[0].read().labels.max() == 2
    assert list_coco(path)[0].read().labels.max() == 3
    with pytest.raises(InputError, match="no category 'blade', only 'leaf', 'pot'"):
        list_coco(path, categories=["blade"])


def test_crowds_are_painted_over_or_leaves(tmp_path: Path) -> None:
    data = coco()
    data["annotations"][2] |= {"iscrowd": 1, "segmentation": runs(3)}
    path = write(tmp_path, data)
    found = list_coco(path)[0].read()
    assert np.array_equal(found.labels, np.where(LABELS == 3, 0, LABELS))
    assert np.ptp(found.rgb[LABELS == 3], axis=0).max() == 0
    assert np.array_equal(list_coco(path, crowds_are_leaves=True)[0].read().labels, LABELS)


def test_a_file_of_crowds_alone_tells_of_the_brush(tmp_path: Path) -> None:
    data = coco()
    for annotation in data["annotations"]:
        annotation["iscrowd"] = 1
    with pytest.raises(InputError, match=r"all its regions are crowds .* set crowd: leaves"):
        list_coco(write(tmp_path, data))


def test_pictures_nobody_labelled_are_left_out(tmp_path: Path) -> None:
    data = coco()
    data["images"].append({"id": 8, "file_name": "unlabelled_and_missing.png"})
    assert [p.name for p in list_coco(write(tmp_path, data))] == ["a.png"]


@pytest.mark.parametrize("names", [("day1/a.png", "day2/a.png"), ("a.png", "./a.png")])
def test_one_picture_for_two_entries_is_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    data = coco()
    data["images"] = [{"id": 7 + n, "file_name": name} for n, name in enumerate(names)]
    data["annotations"][1]["image_id"] = 8
    path = write(tmp_path, data)
    with pytest.raises(InputError) as caught:
        list_coco(path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{path}: images 7 ({names[0]}) and 8 ({names[1]}) are both")
    for name in names:  # under their own names they are two
        save(tmp_path / "images" / name, picture(LABELS))
    if names[0].startswith("day1"):
        assert [p.name for p in list_coco(path, tmp_path / "images")] == list(names)


def test_missing_pictures_and_strays_are_all_named(tmp_path: Path) -> None:
    data = coco()
    data["images"][0]["file_name"] = "gone.png"
    data["images"].append({"id": 8, "file_name": "gone too.png"})
    data["annotations"].append(data["annotations"][0] | {"image_id": 8})
    data["annotations"].append(data["annotations"][0] | {"image_id": 99})
    with pytest.raises(InputError) as caught:
        list_coco(write(tmp_path, data))
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert all(part in text for part in ("gone.png", "gone too.png", "1 annotations belong to no"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("[1, 2]", "is no COCO file: it needs the keys images"),
        ({"shapes": []}, "is no COCO file"),
        (coco(images=[{"id": "x", "file_name": 3}]), r"images\.0\.id: .*integer"),
        (coco(annotations=[]), "holds no annotation"),
    ],
)
def test_what_is_no_coco_file(tmp_path: Path, content, said: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=said) as caught:
        list_coco(path)
    assert all(line.startswith(str(path)) for line in caught.value.problems)


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        ([], "only a box"),
        (None, "only a box"),
        ([[1, 2, 3, 4]], "3 or more points"),
        ([[1, 2, 3, 4, 5, 6, 7]], "3 or more points"),
        ([[1, 2, "x", 4, 5, 6]], "other things than numbers"),
        ({"counts": [1, 2]}, "without counts and size"),
        ({"counts": [5, 5], "size": [9, 9]}, r"size \[9, 9\], its picture is \[40, 48\]"),
        ({"counts": [5, 5000], "size": [40, 48]}, "cannot be read"),
        ({"counts": [5, 20], "size": None}, r"size None, its picture is \[40, 48\]"),
        ([[0, 0, 1e12, 0, 1e12, 1e12]], "a polygon far outside its picture of 48x40 px"),
        ({"counts": [5, -4], "size": [40, 48]}, "cannot be read"),
        ("text", "neither polygons nor runs"),
    ],
)
def test_an_outline_that_cannot_be_drawn_names_its_annotation(
    tmp_path: Path, segmentation, said: str
) -> None:
    data = coco()
    data["annotations"][1]["segmentation"] = segmentation
    (found,) = list_coco(write(tmp_path, data))
    with pytest.raises(InputError, match=f"annotation 2 of a.png has .*{said}"):
        found.read()


def test_runs_that_end_too_early_never_read_what_was_in_memory() -> None:
    for _ in range(50):
        used = [np.full(40 * 48, 1, np.uint8) for _ in range(200)]
        del used  # memory that is not zero
        try:
            found = read_outline({"counts": [10, 20], "size": [40, 48]}, 40, 48)
        except ValueError as error:
            assert "runs that do not cover its picture" in str(error)
        else:
            assert np.flatnonzero(found.T).tolist() == list(range(10, 30))


def test_shares_of_the_picture_are_no_pixels(tmp_path: Path) -> None:
    data = coco()
    for annotation in data["annotations"]:
        annotation["segmentation"] = [[0.1, 0.1, 0.4, 0.1, 0.4, 0.4]]
    (found,) = list_coco(write(tmp_path, data))
    with pytest.raises(InputError, match=r"no annotation of a\.png covers a pixel; coord"):
        found.read()


def test_a_picture_of_another_size_than_was_labelled(tmp_path: Path) -> None:
    data = coco()
    data["images"][0]["width"] = 96
    (found,) = list_coco(write(tmp_path, data))
    with pytest.raises(InputError, match=r"a\.png is 48x40 px, labelled at 96x40 px"):
        found.read()
