"""What a night came to: for programs as JSON, for people as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from phenopipe.files import write_text
from phenopipe.nightly.hook import HookResult
from phenopipe.nightly.settle import Unsettled
from phenopipe.plan import printable
from phenopipe.run_summary import Summary, render_summary

#: How a night ended, with its exit code.
Status = Literal["well", "wrong input", "no space", "failed"]
EXIT_CODES: Mapping[Status, int] = {"well": 0, "wrong input": 1, "no space": 4, "failed": 5}
#: Exit code where another run goes on; such a call writes no summary.
BUSY = 3
#: Growing pictures of a set that the text names; the JSON names all.
_NAMED = 5


@dataclass
class Night:
    """All that is known of a night.

    Attributes
    ----------
    experiment : str
        Name of the experiment.
    started, finished : str
        ISO 8601 with offset.
    duration_s : float
        Seconds between them.
    status : {"well", "wrong input", "no space", "failed"}
        How it ended.
    exit_code : int
        That of the command, see `EXIT_CODES`.
    problems : list of str
        What went wrong, a line each.
    free_gb : float or None
        Free space on the disk of the results at the beginning, GB.
    command : list of str
        How Snakemake was called; empty if it was not.
    snakemake_exit_code : int or None
        Its exit code; negative if a signal ended it.
    log : str
        What it said.
    waiting : mapping
        Growing pictures by image set: these sets stay as they were.
    dropped : list of str
        A line for each set with files that are no images, and why.
    made : mapping
        By analysis, what the tables that were made tonight hold, by image set.
    unfinished : mapping
        By analysis, the sets that have no tables.
    cleaned_bytes : int or None
        Bytes that cleaning freed; None if nothing was cleaned.
    host, phenopipe_version : str
        Where it ran, and what.
    hook : HookResult or None
        What became of the hook.
    """

    experiment: str
    started: str
    host: str
    phenopipe_version: str
    finished: str = ""
    duration_s: float = 0.0
    status: Status = "failed"
    problems: list[str] = field(default_factory=list)
    free_gb: float | None = None
    command: list[str] = field(default_factory=list)
    snakemake_exit_code: int | None = None
    log: str = ""
    waiting: Unsettled = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    made: dict[str, dict[str, Summary]] = field(default_factory=dict)
    unfinished: dict[str, list[str]] = field(default_factory=dict)
    cleaned_bytes: int | None = None
    hook: HookResult | None = None

    @property
    def exit_code(self) -> int:
        """Exit code of the command."""
        return EXIT_CODES[self.status]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON-serialisable values."""
        return {**asdict(self), "exit_code": self.exit_code}


def write_night(night: Night, json_path: Path, text_path: Path) -> None:
    """Write a night under its own names, and as ``latest.json`` and ``latest.txt`` beside them.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    described = json.dumps(night.as_json(), indent=2, ensure_ascii=False) + "\n"
    for path, content in ((json_path, described), (text_path, night_text(night))):
        write_text(path, content)
        write_text(path.with_name(f"latest{path.suffix}"), content)


def night_text(night: Night) -> str:
    """Return a night as text for a terminal or a mail."""
    head = [
        f"phenopipe nightly, {night.experiment}: {night.status} (exit code {night.exit_code})",
        f"{night.started} to {night.finished}, {night.duration_s:.0f} s, on {night.host}",
    ]
    blocks = ["\n".join(map(printable, head)) + "\n", _list("problems", night.problems)]
    for analysis, sets in night.made.items():
        table = render_summary(sets) if sets else "no table was made\n"
        blocks.append(f"analysis {analysis}, made tonight:\n{table}")
    for analysis, names in night.unfinished.items():
        blocks.append(_list(f"analysis {analysis}, image sets without tables", names))
    blocks.append(_list("left for the next night, still being copied", _waiting(night.waiting)))
    blocks.append(_list("files that were left out", night.dropped))
    if night.cleaned_bytes is not None:
        blocks.append(f"cleaned: {night.cleaned_bytes / 1e9:.3g} GB of crops\n")
    if night.hook is not None and night.hook.problem:
        blocks.append(f"hook {printable(night.hook.command[0])}: {printable(night.hook.problem)}\n")
    if night.log:
        blocks.append(f"log: {printable(night.log)}\n")
    return "\n".join(block for block in blocks if block)


def _list(title: str, lines: list[str]) -> str:
    return f"{title}:\n" + "".join(f"  {printable(line)}\n" for line in lines) if lines else ""


def _waiting(unsettled: Unsettled) -> list[str]:
    lines = []
    for name, files in unsettled.items():
        newest = sorted(files, key=lambda file: file.seconds)[:_NAMED]
        shown = ", ".join(f"{file.image} ({file.seconds:.0f} s ago)" for file in newest)
        more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        lines.append(f"{name}: changed {shown}{more}")
    return lines
