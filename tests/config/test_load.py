"""The configuration: every problem named at once, with its key and the mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from phenopipe.config import Config, check_config, load_config
from phenopipe.errors import ConfigError


def problems(data: dict) -> str:
    with pytest.raises(ConfigError) as caught:
        check_config(data, source="my.yaml")
    return str(caught.value)


def test_nothing_given_means_defaults() -> None:
    assert check_config({}) == Config()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"experimnt": "x"}, "my.yaml: experimnt: unknown key, did you mean 'experiment'?"),
        ({"plan": {"shard_sise": 3}}, "plan.shard_sise: unknown key, did you mean 'shard_size'?"),
        (
            {"analyses": {"a": {"segment": {"seed_treshold": 0.3}}}},
            "analyses.a.segment.seed_treshold: unknown key, did you mean 'seed_threshold'?",
        ),
        (
            {"models": {"m": {"train": {"stepps": 3}}}},
            "models.m.train.stepps: unknown key, did you",
        ),
        ({"plan": {"shard_size": -3}}, "plan.shard_size: input should be greater than or equal"),
        ({"ingest": {"crop_size": "big"}}, "ingest.crop_size: input should be a valid integer"),
        ({"ingest": {"crop_size": 100}}, "multiple of 16 (is 100)"),
        ({"ingest": {"crop_size": "256 mm"}}, "ingest.crop_size"),
        ({"plan": {"timezone": "Mars/Olympus"}}, "plan.timezone: is no IANA time zone"),
        ({"analyses": {"a": {"model": "b"}}}, "analyses.a.model: there is no model 'b'"),
        (
            {"models": {"train": {"weihgts": "x"}}},
            "models.train.weihgts: unknown key, did you mean 'weights'?",
        ),
        ({"analyses": {"a\n": {}}}, "becomes a folder"),
        ({"analyses": {"../a": {}}}, "'../a' becomes a folder"),
        ({"models": {}, "analyses": {}}, "models: needs at least one entry"),
        ({"models": {"m": {"weights": None}}}, "models.m: give weights, or train, or both"),
        (
            {"ingest": {"cameras": {"c": {"pots": {"rows": 2}}}}},
            "ingest.cameras.c.pots: give rows, cols and corners together, or boxes",
        ),
        ({"ingest": {"max_megapixels": float("inf")}}, "max_megapixels: input should be a finite"),
        ({"nightly": None}, "nightly: "),
        ({"retention": [], "nightly": {"clean": True}}, "retention: "),
        ({"nightly": {"clean": True}}, "nightly.clean: needs retention.crops_days"),
        ({"ingest": {"max_megapixels": float("nan")}}, "max_megapixels: input should be a finite"),
    ],
)
def test_each_problem_names_key_and_mend(data: dict, message: str) -> None:
    assert message in problems(data)


TOP_LEFT, TOP_RIGHT, BOTTOM_RIGHT, BOTTOM_LEFT = (1, 2), (90, 0), (95, 60), (3, 55)


@pytest.mark.parametrize(
    "corners",
    [
        [TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT],
        [TOP_RIGHT, TOP_LEFT, BOTTOM_LEFT, BOTTOM_RIGHT],
        [TOP_RIGHT, BOTTOM_RIGHT, BOTTOM_LEFT, TOP_LEFT],
        [BOTTOM_RIGHT, BOTTOM_LEFT, TOP_LEFT, TOP_RIGHT],
        [TOP_LEFT, TOP_LEFT, BOTTOM_RIGHT, BOTTOM_LEFT],
        [TOP_LEFT, TOP_RIGHT, (5, 5), BOTTOM_LEFT],
    ],
)
def test_corners_in_another_order_are_refused(corners: list) -> None:
    def pots(order: list) -> dict:
        return {"ingest": {"cameras": {"c": {"pots": {"rows": 1, "cols": 1, "corners": order}}}}}

    check_config(pots([TOP_LEFT, TOP_RIGHT, BOTTOM_RIGHT, BOTTOM_LEFT]))
    assert problems(pots(corners)) == (
        "my.yaml: ingest.cameras.c.pots: corners run top left, top right, bottom right, "
        "bottom left, with y downwards"
    )


@pytest.mark.parametrize("memory", ["5 crops", "GB", "2", "0GB", "-1GB", "1GB\n", "1GBs"])
def test_a_memory_without_number_or_unit(memory: str) -> None:
    message = "dask.worker_memory: give a number and kB, MB, GB, TB, KiB, MiB, GiB or TiB"
    assert message in problems({"dask": {"worker_memory": memory}})


@pytest.mark.parametrize("walltime", ["soon", "10:00", "1:60:00", "01:00:00\n", 36000])
def test_a_wall_time_that_is_none(walltime: object) -> None:
    message = 'dask.slurm_walltime: give hours:minutes:seconds in quotes, such as "10:00:00"'
    assert message in problems({"dask": {"slurm_walltime": walltime}})


@pytest.mark.parametrize("memory", ["512kB", "1.5 GB", "3gib", "2TiB"])
def test_memories_and_wall_times(memory: str) -> None:
    dask = check_config({"dask": {"worker_memory": memory, "slurm_walltime": "120:00:59"}}).dask
    assert (dask.worker_memory, dask.slurm_walltime) == (memory, "120:00:59")


def test_all_problems_at_once() -> None:
    text = problems({"nonsense": 1, "plan": {"shard_size": 0}, "run": {"max_failed_share": 2}})
    assert len(text.splitlines()) == 3
    assert all(line.startswith("my.yaml: ") for line in text.splitlines())


def test_missing_models_are_named_beside_other_problems() -> None:
    analyses = {"a": {"model": "b"}, "c": {"model": "d", "nonsense": 1}, "e": {"model": "m"}}
    models = {"m": {"weights": "default", "wieghts": 1}}
    text = problems({"plan": {"shard_size": 0}, "models": models, "analyses": analyses})
    assert len(text.splitlines()) == 5
    assert "my.yaml: analyses.a.model: there is no model 'b' in models (m)" in text.splitlines()
    assert "my.yaml: analyses.c.model: there is no model 'd' in models (m)" in text.splitlines()
    assert "my.yaml: models.m.wieghts: unknown key, did you mean 'weights'?" in text.splitlines()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "is no valid YAML"),
        (b"- a\n- b\n", "holds list, not keys with values"),
        (b"\xff\xfe\x00", "is no valid YAML"),
        (b"experiment: 2024-02-30", r"is no valid YAML \(day is out of range for month\)"),
        (b"!!python/object/apply:os.system ['true']", "is no valid YAML"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(path)
    assert len(str(caught.value).splitlines()) == 1


def test_keys_that_stand_twice(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "plan:\n  image_root: a\n  shard_size: 5\nanalyses:\n  a: {}\n  b: {}\n  a: {}\n"
        "models:\n  m: {train: {data: [{kind: synthetic, kind: folder}]}}\nplan: {shard_size: 7}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.problems == (
        f"{path}: plan: stands on line 1 and on line 10; make it one",
        f"{path}: analyses.a: stands on line 5 and on line 7; make it one",
        f"{path}: models.m.train.data.0.kind: stands on line 9 and on line 9; make it one",
    )


def test_a_block_within_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("plan: &plan {image_root: a, sets: *plan}\n")
    with pytest.raises(ConfigError, match=r"plan\.sets"):
        load_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_config(tmp_path / "none.yaml")


def test_an_empty_file_means_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    assert load_config(tmp_path / "config.yaml") == Config()


def test_which_analyses_are_compared() -> None:
    three = {"analyses": {"a": {}, "b": {}, "c": {}}}
    assert check_config({}).compared == ()
    assert check_config(three).compared == (("a", "b"), ("a", "c"))
    assert check_config({**three, "compare": {"pairs": []}}).compared == ()
    assert check_config({**three, "compare": {"pairs": [["b", "c"]]}}).compared == (("b", "c"),)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([["a", "x"], ["y", "b"]], "no analysis 'y' in analyses (a, b)"),
        ([["a", "x"]], "compare.pairs.0: there is no analysis 'x' in analyses (a, b)"),
        ([["a", "a"]], "'a' is paired with itself"),
        ([["a", "b"], ["a", "b"]], "a pair is named twice"),
        ([["a"]], "compare.pairs.0"),
    ],
)
def test_a_comparison_of_what_is_not_there(pairs: object, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        check_config({"analyses": {"a": {}, "b": {}}, "compare": {"pairs": pairs}})
