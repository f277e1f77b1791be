"""Generated files are in step with the settings' classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from phenopipe.config import Config, check_config, load_config
from phenopipe.config.render import DEMO, commented_yaml, generated_files, json_schema

ROOT = Path(__file__).resolve().parents[2]
FILES = generated_files(ROOT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_generated_files_do_not_drift(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == FILES[path], (
        f"{path.name} is out of date: run python -m phenopipe.config.render"
    )


def test_the_commented_configuration_reads_back() -> None:
    config = check_config(
        DEMO
        | {
            "experiment": "a: b # c",
            "ingest": {
                "cameras": {
                    "top 1": {
                        "pots": {"rows": 2, "cols": 3, "corners": [[0, 0], [9, 0], [9, 9], [0, 9]]}
                    }
                }
            },
        }
    )
    assert check_config(yaml.safe_load(commented_yaml(config))) == config


def test_every_key_has_a_comment() -> None:
    lines = (ROOT / "config/config.yaml").read_text().splitlines()
    bare = [
        line
        for before, line in pairwise(lines)
        if line.strip() and not line.strip().startswith("#") and not before.strip().startswith("#")
    ]
    # Names that the user chose (a model, an analysis) are no settings.
    assert [line.strip() for line in bare] == ["demo:", "default:"]


def named_values(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the values that a setting takes by name, as its JSON Schema has them."""
    yield from map(str, schema.get("enum", []))
    if "const" in schema:
        yield str(schema["const"])
    for part in schema.get("anyOf", []):
        yield from named_values(part)


def test_the_reference_names_every_value_of_a_setting() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    blocks = Config.model_json_schema()["$defs"].values()
    settings = [pair for block in blocks for pair in block["properties"].items()]
    chosen = {
        (name, schema["description"]): {*named_values(schema)}
        for name, schema in settings
        if any(named_values(schema))
    }
    assert len(chosen) > 10
    for (name, meaning), values in chosen.items():
        row = re.search(
            rf"^\| `{name}` \|.*\| {re.escape(meaning)} \[(.*)\] \|$", text, re.MULTILINE
        )
        assert row, f"docs/configuration.md has no values of {name}"
        assert values <= {*re.findall(r"\w+", row[1])}, row[0]
    assert "[one of auto, bf16, fp32]" in text
    assert "[auto, or 1 to 64]" in text


def test_the_schema_accepts_what_the_classes_accept() -> None:
    validator = Draft202012Validator(yaml.safe_load(json_schema()))
    assert not list(validator.iter_errors(DEMO))
    assert list(validator.iter_errors({"plan": {"shard_size": -1}}))
    assert list(validator.iter_errors({"unknown": 1}))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "config/examples").glob("*.yaml")), ids=lambda p: p.name
)
def test_examples_are_valid(path: Path) -> None:
    load_config(path)
