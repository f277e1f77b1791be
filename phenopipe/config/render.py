"""Make the commented configuration, its JSON Schema and its reference from the settings' classes.

``python -m phenopipe.config.render`` writes ``config/config.yaml``,
``workflow/schemas/config.schema.json`` and ``docs/configuration.md`` of this checkout.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from phenopipe.config.config import Config
from phenopipe.config.load import block_of, check_config
from phenopipe.files import write_text

#: The demo: a greenhouse drawn on the spot, and a short training from the packaged weights.
DEMO: dict[str, Any] = {
    "experiment": "demo",
    "synth": {},
    "plan": {"settle_seconds": 0, "shard_size": 20},
    "models": {
        "demo": {
            "weights": "default",
            "train": {
                "steps": 20,
                "batch_size": 4,
                "learning_rate": 2e-5,
                "warmup_steps": 5,
                "validation_images": 12,
                "gate_margin": 0.02,
            },
        }
    },
    "analyses": {"default": {"model": "demo"}},
}

HEADER = """\
# yaml-language-server: $schema=../workflow/schemas/config.schema.json
#
# Every setting of phenopipe with its meaning. As it stands this is the demo: it draws its own
# small greenhouse. For your own pictures: phenopipe init DIR --images FOLDER
"""


def commented_yaml(config: Config, header: str = HEADER) -> str:
    """Write a configuration as YAML with a comment above each key.

    Parameters
    ----------
    config : Config
        The values.
    header : str
        Comment lines at the top.

    Returns
    -------
    str
        YAML that reads back as the same configuration.
    """
    return header + "\n".join(_block_lines(config, 0)) + "\n"


def _block_lines(block: BaseModel, indent: int) -> Iterator[str]:
    pad = " " * indent
    for name, field in type(block).model_fields.items():
        value = getattr(block, name)
        if indent == 0:
            yield ""
        text = " ".join(filter(None, [field.description, _limits(field)]))
        yield from textwrap.wrap(text, 100, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")
        yield from _value_lines(name, value, indent)


def _value_lines(name: str, value: object, indent: int) -> Iterator[str]:
    pad = " " * indent
    if isinstance(value, BaseModel):
        yield f"{pad}{name}:"
        yield from _block_lines(value, indent + 2)
    elif isinstance(value, dict) and value:
        yield f"{pad}{name}:"
        for key, entry in value.items():
            yield from _value_lines(str(key), entry, indent + 2)
    else:
        plain = json.loads(json.dumps(value, default=_given))  # tuples as lists
        text = yaml.safe_dump(plain, default_flow_style=True, width=10_000)
        yield f"{pad}{name}: " + text.removesuffix("...\n").strip()


def _given(entry: BaseModel) -> dict[str, Any]:
    """Return what sets a block of a list apart from one with all defaults."""
    return entry.model_dump(mode="json", exclude_defaults=True)


def _limits(field: FieldInfo) -> str:
    """Say unit, values and range of a setting, such as ``[px; at least 64, at most 2048]``."""
    extra = field.json_schema_extra
    unit = str(extra["unit"]) if isinstance(extra, dict) and "unit" in extra else ""
    span = ", ".join(part for limit in field.metadata if (part := _limit(limit)))
    told = "; ".join(filter(None, [unit, _values(field.annotation), span]))
    return f"[{told}]" if told else ""


def _values(annotation: object) -> str:
    """Name the values that a Literal has, such as ``one of a, b`` or ``auto, or 1 to 64``."""
    if get_origin(annotation) is Literal:
        return f"one of {', '.join(map(str, get_args(annotation)))}"
    parts = get_args(annotation)
    named = [str(name) for part in parts if get_origin(part) is Literal for name in get_args(part)]
    spans = [_span(part) for part in parts if get_origin(part) is Annotated] if named else []
    return ", or ".join(filter(None, [", ".join(named), *spans]))


def _span(annotation: object) -> str:
    """Say the range of a number that is one of several kinds of value."""
    _, field = get_args(annotation)
    bounds = [getattr(limit, "ge", getattr(limit, "le", None)) for limit in field.metadata]
    return " to ".join(map(str, bounds))


def _limit(limit: object) -> str:
    match limit:
        case annotated_types.Ge(ge=value):
            return f"at least {value}"
        case annotated_types.Gt(gt=value):
            return f"above {value}"
        case annotated_types.Le(le=value):
            return f"at most {value}"
        case annotated_types.Lt(lt=value):
            return f"below {value}"
        case annotated_types.MultipleOf(multiple_of=value):
            return f"a multiple of {value}"
        case _:
            return ""


def json_schema() -> str:
    """Return the JSON Schema of the configuration, for editors."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def reference() -> str:
    """Return the reference of all settings as Markdown, a table per block."""
    lines = [
        "# Configuration",
        "",
        "Every setting, made from `phenopipe/config/` by `python -m phenopipe.config.render`.",
        "Unknown keys and values out of range are errors, all reported at once. A key that stands",
        "twice in one block is an error that names both lines.",
        "",
        "Paths are absolute or relative to the folder that the pipeline runs in; `images` and",
        "`labels` of a source of the kind `folder` are relative to its `path`.",
    ]
    for path, block in _blocks(Config, ""):
        title = f"`{path}`" if path else "Top level"
        lines += ["", f"## {title}", "", _first_line(block), ""]
        lines += ["| key | default | meaning |", "|---|---|---|"]
        lines += [_row(name, field) for name, field in block.model_fields.items()]
    return "\n".join(lines) + "\n"


def _blocks(block: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, block
    for name, field in block.model_fields.items():
        inner = block_of(field.annotation)
        if inner is not None:
            name_key = ".<name>" if str(field.annotation).startswith("dict") else ""
            yield from _blocks(inner, f"{path}.{name}{name_key}".lstrip("."))


def _first_line(block: type[BaseModel]) -> str:
    return (block.__doc__ or "").strip().splitlines()[0]


def _row(name: str, field: FieldInfo) -> str:
    text = " ".join(filter(None, [field.description, _limits(field)])).replace("|", "\\|")
    return f"| `{name}` | {_default(field)} | {text} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        return "see below"
    return f"`{json.dumps(default, default=_known_by)}`"


def _known_by(entry: BaseModel) -> dict[str, Any]:
    """Return the first key of a block, and what sets it apart from one with all defaults."""
    first = next(iter(type(entry).model_fields))
    return {first: getattr(entry, first), **_given(entry)}


def generated_files(root: Path) -> Mapping[Path, str]:
    """Return every generated file of a checkout with the content that it should have."""
    return {
        root / "config/config.yaml": commented_yaml(check_config(DEMO)),
        root / "workflow/schemas/config.schema.json": json_schema(),
        root / "docs/configuration.md": reference(),
    }


if __name__ == "__main__":
    for target, content in generated_files(Path(__file__).resolve().parents[2]).items():
        write_text(target, content)
