from __future__ import annotations

import base64
import itertools
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pandas as pd
import pytest
from report_scenes import plant_picture, write_set

from phenopipe.config import ReportSettings
from phenopipe.errors import StoreError
from phenopipe.report import write_set_report
from phenopipe.report.gallery import CropPictures, choose_rows

VOID = {"meta", "br", "img", "link", "input", "hr"}
EVIL = "<script>alert('x')</script>"


class Page(HTMLParser):
    """Elements of a page; complains of what is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def write(tmp_path, files, **settings):
    write_set_report(
        **files,
        settings=ReportSettings(**settings),
        made_with={"seed_threshold": 0.45},
        out=tmp_path / "report.html",
    )
    return (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    return Page(write(folder, write_set(folder)))


def test_page_is_whole_and_readable_by_machines(page):
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert all(image["alt"] for image in page.all("img"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert all(plot["aria-label"] for plot in page.all("div") if plot.get("class") == "plot")


def test_page_names_everything_inside_itself(page):
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
    policy = next(meta for meta in page.all("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy["content"]


def test_numbers_flags_and_provenance(page):
    assert "rows: pots of images 8 " in page.words
    assert "failed 1 " in page.words
    assert "is truncated" in page.words
    assert "No leaf was found" in page.words
    assert "cd" * 32 in page.words
    assert "seed threshold 0.45" in page.words


def test_all_readable_plants_are_shown_flagged_first(page):
    shown = [image["alt"] for image in page.all("img")]
    assert len(shown) == 7
    assert "cam-P0" in shown[0]
    assert not any("cam-P7" in alt for alt in shown)


def test_library_stands_on_the_page_once(tmp_path):
    text = write(tmp_path, write_set(tmp_path, plants=4))
    assert text.count("plotly.js v") == 1


def test_pictures_are_the_right_crops(tmp_path):
    """The first plant of the second shard shows its own colours and leaves."""
    files = write_set(tmp_path, plants=8, size=128)
    text = write(tmp_path, files, overlay_size=128)
    images = {image["alt"]: image["src"] for image in Page(text).all("img")}
    source = next(src for alt, src in images.items() if "cam-P4" in alt)
    data = base64.b64decode(source.partition(",")[2])
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    rgb, labels = plant_picture(4, 3 + (4 + 1) % 4, 128)
    assert seen.shape == rgb.shape
    far = cv2.dilate((labels > 0).astype(np.uint8), np.ones((9, 9))) == 0
    assert np.abs(seen - rgb)[far].mean() < 12
    inside = cv2.erode((labels > 0).astype(np.uint8), np.ones((5, 5))) > 0
    assert (seen[inside][:, 1] > 100).mean() > 0.8 > (seen[far][:, 1] > 100).mean()


def test_number_of_pictures_and_rows_is_bounded(tmp_path):
    text = write(tmp_path, write_set(tmp_path), overlays=3, flagged_rows=1)
    page = Page(text)
    assert len(page.all("img")) == 3
    assert "The first 1 of" in page.words
    assert not Page(write(tmp_path, write_set(tmp_path), overlays=0)).all("img")


def test_names_are_text_and_never_code(tmp_path):
    files = write_set(tmp_path, name=f"n{EVIL}", genotype=EVIL)
    text = write(tmp_path, files)
    scripts = len(Page(text).all("script"))
    assert scripts == len(Page(write(tmp_path, write_set(tmp_path))).all("script"))
    assert EVIL not in text
    assert EVIL in Page(text).words


def test_a_damaged_crop_is_named_and_the_page_still_made(tmp_path):
    files = write_set(tmp_path, plants=4)
    chunk = next(
        path
        for path in (tmp_path / "000.zarr" / "rgb").rglob("*")
        if path.is_file() and path.name != "zarr.json"
    )
    damaged = bytearray(chunk.read_bytes())
    damaged[40:60] = bytes(20)
    chunk.write_bytes(damaged)
    page = Page(write(tmp_path, files))
    assert "is damaged" in page.words


def test_missing_inputs_are_named(tmp_path):
    files = write_set(tmp_path, plants=4)
    with pytest.raises(StoreError, match=r"other\.zarr"):
        write(tmp_path, {**files, "labels": tmp_path / "other.zarr"})
    with pytest.raises(StoreError, match="holds 4 crops, the tables 2"):
        write(tmp_path, {**files, "crop_tables": files["crop_tables"][:1]})
    files["plants"].with_suffix(".schema.json").unlink()
    with pytest.raises(StoreError, match=r"plants\.schema\.json"):
        write(tmp_path, files)
    assert not (tmp_path / "report.html").exists()


def test_crop_that_is_not_there(tmp_path):
    files = write_set(tmp_path, plants=4)
    pictures = CropPictures(files["crop_tables"], files["crops"], files["labels"])
    with pytest.raises(StoreError, match="there is no crop"):
        pictures.overlay("night1/none.png", "P0", 64)


def test_choice_of_rows():
    flags = ["", "empty", "", "unreadable", "", "dark", "", "damaged;dark", ""]
    plants = pd.DataFrame({"qc_flags": pd.array([f or None for f in flags], dtype="string")})
    assert choose_rows(plants, 100).index.tolist() == [1, 5, 0, 2, 4, 6, 8]
    assert choose_rows(plants, 5).index.tolist() == [1, 5, 0, 4, 8]
    assert choose_rows(plants, 1).index.tolist() == [1]
    assert choose_rows(plants, 0).empty
