"""The configuration: every problem named at once, with its key and the mend."""

from __future__ import annotations

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
        ({"analyses": {"../a": {}}}, "'../a' becomes a folder"),
        ({"models": {}, "analyses": {}}, "models: needs at least one entry"),
        ({"models": {"m": {"weights": None}}}, "models.m: give weights, or train, or both"),
        (
            {"ingest": {"cameras": {"c": {"pots": {"rows": 2}}}}},
            "ingest.cameras.c.pots: give rows, cols and corners together, or boxes",
        ),
    ],
)
def test_each_problem_names_key_and_mend(data: dict, message: str) -> None:
    assert message in problems(data)


def test_all_problems_at_once() -> None:
    text = problems({"nonsense": 1, "plan": {"shard_size": 0}, "run": {"max_failed_share": 2}})
    assert len(text.splitlines()) == 3
    assert all(line.startswith("my.yaml: ") for line in text.splitlines())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "is no valid YAML"),
        (b"- a\n- b\n", "holds list, not keys with values"),
        (b"\xff\xfe\x00", "is no valid YAML"),
        (b"!!python/object/apply:os.system ['true']", "is no valid YAML"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_config(tmp_path / "none.yaml")


def test_an_empty_file_means_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    assert load_config(tmp_path / "config.yaml") == Config()
