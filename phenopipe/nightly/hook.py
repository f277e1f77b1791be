"""Tell somebody how a night went: a command from the configuration."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: What of a hook's words is kept, characters.
KEPT = 2000


@dataclass(frozen=True)
class HookResult:
    """What became of a hook.

    Attributes
    ----------
    command : tuple of str
        What was called.
    exit_code : int or None
        Its exit code; None if it could not be started or did not end in time.
    problem : str
        One line; empty if all went well.
    """

    command: tuple[str, ...]
    exit_code: int | None
    problem: str


def call_hook(
    command: Sequence[str], text: str, values: Mapping[str, str], timeout_s: float
) -> HookResult:
    """Call a command, the summary as its standard input. No shell is involved.

    Parameters
    ----------
    command : sequence of str
        Command and arguments; ``{name}`` in an argument becomes `values`' entry of that name.
    text : str
        Standard input.
    values : mapping of str to str
        What is filled in.
    timeout_s : float
        The command is killed after this, s.

    Returns
    -------
    HookResult
        A failure is told here and never raised: it must not hide how the night went.
    """
    arguments = [command[0], *(_fill(argument, values) for argument in command[1:])]
    try:
        done = subprocess.run(
            arguments,
            input=text.encode("utf-8", "backslashreplace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return HookResult(tuple(arguments), None, f"did not end within {timeout_s:g} s")
    except (OSError, ValueError) as error:  # ValueError: a null byte in an argument
        reason = getattr(error, "strerror", None) or error
        return HookResult(tuple(arguments), None, f"cannot be started ({reason})")
    said = " ".join(done.stdout.decode("utf-8", "backslashreplace").split())[:KEPT]
    failed = f"ended with code {done.returncode}" + (f": {said}" if said else "")
    return HookResult(tuple(arguments), done.returncode, failed if done.returncode else "")


def _fill(argument: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        argument = argument.replace(f"{{{name}}}", value)
    return argument
