"""Read and check a configuration, and say everything that is wrong with it at once."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from phenopipe.config.config import Config
from phenopipe.errors import ConfigError

B = TypeVar("B", bound=BaseModel)
#: libyaml's where PyYAML has it, which is faster.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_config(path: str | os.PathLike[str]) -> Config:
    """Read a YAML configuration.

    Parameters
    ----------
    path : path-like
        YAML file.

    Returns
    -------
    Config
        The checked configuration, defaults filled in.

    Raises
    ------
    ConfigError
        If the file is missing, is no YAML mapping, or holds a wrong key or value; the error has
        one line for each problem.
    """
    return check_config(read_yaml(path), source=str(path))


def read_yaml(path: str | os.PathLike[str], wanted: str = "keys with values") -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Parameters
    ----------
    path : path-like
        YAML file; an empty one is an empty mapping.
    wanted : str
        What the file should hold, for the message if it holds something else.

    Returns
    -------
    dict
        Keys and values.

    Raises
    ------
    ConfigError
        If the file is missing, is no YAML mapping, or has a key twice in one block, of which YAML
        would take the last alone.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        problems = [f"{path}: {line}" for line in _repeated(yaml.compose(text, _Loader))]
        data = yaml.load(text, _Loader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, ValueError) as error:  # no UTF-8, or a date that no calendar has
        raise ConfigError(f"{path}: is no valid YAML ({' '.join(str(error).split())})") from error
    if problems:
        raise ConfigError(*problems)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: holds {type(data).__name__}, not {wanted}")
    return data


def _repeated(node: yaml.Node | None) -> Iterator[str]:
    """Name each key that stands twice in one block of a document."""
    waiting, seen = [("", node)], set[int]()
    while waiting:
        above, node = waiting.pop(0)
        if id(node) in seen:  # another name for a block, maybe for one around it
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [(f"{above}{number}.", entry) for number, entry in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            lines = dict[str, int]()
            for key, value in node.value:
                name, line = f"{above}{key.value}", key.start_mark.line + 1
                if name in lines and key.tag != "tag:yaml.org,2002:merge":
                    yield f"{name}: stands on line {lines[name]} and on line {line}; make it one"
                lines.setdefault(name, line)
                waiting.append((f"{name}.", value))


def check_config(data: Mapping[str, Any], source: str = "configuration") -> Config:
    """Check a configuration that was read already, by Snakemake for instance.

    Parameters
    ----------
    data : mapping
        Keys and values as in the YAML file.
    source : str
        Where it comes from, for messages.

    Returns
    -------
    Config
        The checked configuration.

    Raises
    ------
    ConfigError
        If anything is wrong with it.
    """
    return check_block(Config, data, source)


def check_block(block: type[B], data: Mapping[str, Any], source: str) -> B:
    """Check one block of settings and turn pydantic's findings into lines for the user."""
    try:
        return block.model_validate(dict(data))
    except ValidationError as error:
        raise ConfigError(*(f"{source}: {line}" for line in _explain(error, block))) from error


def _explain(error: ValidationError, block: type[BaseModel]) -> Iterator[str]:
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        where = f"{key}: " if key else ""
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key" + _nearest(item["loc"], block)
        elif item["type"] == "missing":
            message = "is missing"
        elif not isinstance(item["input"], dict | list):
            message = f"{message[:1].lower()}{message[1:]} (is {item['input']!r})"
        yield where + message


def _nearest(location: tuple[int | str, ...], block: type[BaseModel]) -> str:
    known = list(_fields_at(location[:-1], block))
    close = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else f"; known here: {', '.join(known)}"


def _fields_at(location: tuple[int | str, ...], block: type[BaseModel]) -> Iterator[str]:
    """Yield the keys that the block at `location` knows."""
    is_name = False  # of an entry that the user named, as in models
    for part in location:
        field = None if is_name else block.model_fields.get(str(part))
        is_name = field is not None and get_origin(field.annotation) is dict
        if field is not None:
            block = block_of(field.annotation) or block
    yield from block.model_fields


def block_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401
    """Return the block inside an annotation such as ``dict[str, Block]`` or ``Block | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := block_of(part))), None)
