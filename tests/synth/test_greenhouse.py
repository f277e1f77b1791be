"""The demo greenhouse: names, plants that grow, true labels, broken files, whole folders."""

from __future__ import annotations

import io
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from phenopipe.config import SynthSettings
from phenopipe.errors import InputError, StoreError
from phenopipe.plan.pattern import FilePattern
from phenopipe.synth import FILE_PATTERN, greenhouse, greenhouse_images, render_set
from phenopipe.synth.roster import night_shots

TABLES = ("leaves.tsv", "plants.tsv")
SMALL = SynthSettings(seed=4, nights=2, plants=5, image_size=96, empty_pots=1, broken_files=1)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("greenhouse")
    for name in greenhouse_images(SMALL):
        render_set(SMALL, name, folder / "images" / name, folder / "truth" / name)
    return folder


def growth(night: int = 0) -> dict[str, str]:
    return {shot.name: shot.growth for shot in night_shots(SMALL, night)}


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestNames:
    def test_sets_and_pictures(self):
        images = greenhouse_images(SMALL)
        assert list(images) == ["night_01", "night_02"]
        assert [len(files) for files in images.values()] == [7, 7]
        assert len(set(images["night_01"]) | set(images["night_02"])) == 14

    def test_pattern_reads_every_name(self):
        pattern = FilePattern(FILE_PATTERN)
        genotypes, times = set(), []
        for files in greenhouse_images(SynthSettings(nights=3)).values():
            fields = [pattern.read(name) for name in files]
            assert None not in fields
            assert len({field["pot"] for field in fields}) == len(files)
            genotypes |= {field["genotype"] for field in fields}
            times += [field["timestamp"] for field in fields]
        assert "Col-0" in genotypes
        assert times == sorted(times)
        assert {time[:10] for time in times} == {"2024-04-02", "2024-04-03", "2024-04-04"}

    def test_a_pot_keeps_its_plant(self):
        pattern = FilePattern(FILE_PATTERN)
        nights = [
            [(f["pot"], f["genotype"], f["replicate"]) for f in map(pattern.read, files)]
            for files in greenhouse_images(SMALL).values()
        ]
        assert nights[0] == nights[1]

    def test_a_night_ends_before_the_next(self):
        many = greenhouse_images(SynthSettings(nights=2, plants=20_000))
        assert max(many["night_01"])[:8] == "20240402"

    def test_many_nights_sort_by_name(self):
        sets = list(greenhouse_images(SynthSettings(nights=120, plants=1)))
        assert sets == sorted(sets)

    def test_telling_names_draws_nothing(self):
        code = (
            "import sys; from phenopipe.config import SynthSettings;"
            "from phenopipe.synth import greenhouse_images; greenhouse_images(SynthSettings());"
            "print([m for m in ('cv2', 'scipy', 'skimage') if m in sys.modules])"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == "[]"


class TestRender:
    def test_files_are_those_that_were_told(self, rendered):
        for name, files in greenhouse_images(SMALL).items():
            assert names(rendered / "images" / name) == sorted(files)
        whole = [name for name, kind in growth(1).items() if kind != "broken"]
        assert names(rendered / "truth" / "night_01") == sorted([*growth(0), *TABLES])
        assert names(rendered / "truth" / "night_02") == sorted([*whole, *TABLES])

    def test_pictures_and_labels_have_one_size(self, rendered):
        for path in (rendered / "images" / "night_01").iterdir():
            assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape == (96, 96, 3)
            labels = cv2.imread(
                str(rendered / "truth" / "night_01" / path.name), cv2.IMREAD_UNCHANGED
            )
            assert labels.shape == (96, 96)
            assert labels.dtype == np.uint16

    def test_only_empty_pots_have_no_leaves(self, rendered):
        for name, kind in growth(0).items():
            labels = cv2.imread(str(rendered / "truth" / "night_01" / name), cv2.IMREAD_UNCHANGED)
            assert labels.any() == (kind != "empty")

    def test_channels_are_in_order(self, rendered):
        for name, kind in growth(0).items():
            if kind == "plant":
                rgb = np.asarray(Image.open(rendered / "images" / "night_01" / name)).astype(int)
                labels = np.asarray(Image.open(rendered / "truth" / "night_01" / name))
                red, _, blue = rgb[labels > 0].mean(axis=0)
                assert red > blue

    def test_broken_file_is_cut_in_the_middle_on_the_last_night_only(self, rendered):
        broken = [
            (growth(night), rendered / "images" / f"night_0{night + 1}") for night in range(2)
        ]
        for night, (kinds, folder) in enumerate(broken):
            for name, kind in kinds.items():
                data = (folder / name).read_bytes()
                assert data.startswith(b"\x89PNG")
                cut = kind == "broken" and night == 1
                assert (b"IEND" in data[-12:]) != cut
                if cut:
                    with pytest.raises(OSError, match=r"truncated|broken"):
                        Image.open(io.BytesIO(data)).load()

    def test_rendering_again_gives_the_same_bytes(self, rendered, tmp_path):
        render_set(SMALL, "night_02", tmp_path / "images", tmp_path / "truth")
        for kind in ("images", "truth"):
            for path in (tmp_path / kind).iterdir():
                assert path.read_bytes() == (rendered / kind / "night_02" / path.name).read_bytes()

    def test_unknown_set_is_named(self, tmp_path):
        with pytest.raises(InputError, match="night_09"):
            render_set(SMALL, "night_09", tmp_path / "images", tmp_path / "truth")

    def test_nothing_is_left_when_drawing_fails(self, tmp_path, monkeypatch):
        draw, drawn = greenhouse.draw_shot, []

        def full_disk(settings, night, shot):
            drawn.append(shot)
            if len(drawn) == 3:
                raise OSError(28, "No space left on device")
            return draw(settings, night, shot)

        monkeypatch.setattr(greenhouse, "draw_shot", full_disk)
        with pytest.raises(StoreError, match=r"images: cannot be written \(no space left"):
            render_set(SMALL, "night_01", tmp_path / "images", tmp_path / "truth")
        assert names(tmp_path) == []


def test_plants_grow_in_place():
    settings = SynthSettings(seed=2, nights=4, plants=6, image_size=160, empty_pots=0)
    for shot in night_shots(settings, 0):
        maps = [greenhouse.draw_shot(settings, night, shot).labels for night in range(4)]
        areas = [np.count_nonzero(labels) for labels in maps]
        assert (np.diff(areas) > 0).all()
        kept = np.count_nonzero((maps[0] > 0) & (maps[1] > 0)) / areas[0]
        assert kept > 0.75
        assert maps[3].max() >= maps[0].max()


def test_soil_stays_from_night_to_night():
    settings = SynthSettings(seed=2, plants=2, image_size=96, empty_pots=1, broken_files=0)
    shot = next(shot for shot in night_shots(settings, 0) if shot.growth == "empty")
    first, second = (greenhouse.draw_shot(settings, night, shot).rgb for night in range(2))
    assert not np.array_equal(first, second)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.9


def test_other_seeds_give_other_greenhouses():
    shot = night_shots(SMALL, 0)[0]
    other = SMALL.model_copy(update={"seed": 5})
    first, second = (greenhouse.draw_shot(s, 0, shot).rgb for s in (SMALL, other))
    assert not np.array_equal(first, second)


def test_more_nights_or_plants_change_no_earlier_picture():
    more = SMALL.model_copy(update={"nights": 9})
    shot = night_shots(SMALL, 1)[0]
    assert shot == night_shots(more, 1)[0]
    np.testing.assert_array_equal(
        greenhouse.draw_shot(SMALL, 1, shot).rgb, greenhouse.draw_shot(more, 1, shot).rgb
    )
