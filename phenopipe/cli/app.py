"""The application that the commands belong to, and the options that several share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperGroup

import phenopipe
from phenopipe.errors import PhenopipeError

#: Exit codes: something is wrong with files or settings, or with the command line itself.
FAILED, MISUSED = 1, 2
# Typer gives a public name only to this child of the error for a wrong command line.
_UsageError = cast(type[typer.BadParameter], typer.BadParameter.__mro__[1])


class App(TyperGroup):
    """A group of commands in which a user's mistake is one clear line and an exit code."""

    def main(self, *args: Any, **settings: Any) -> Any:  # noqa: ANN401 - as its parent's
        """Run a command; see :meth:`typer.core.TyperGroup.main`."""
        try:
            code = super().main(*args, **{**settings, "standalone_mode": False})
        except _UsageError as error:
            command = error.ctx.command_path if error.ctx else "phenopipe"
            _fail([f"{error.format_message()} (see {command} --help)"], MISUSED)
        except PhenopipeError as error:
            _fail(error.problems, FAILED)
        except OSError as error:  # a full disk, a folder that may not be written
            where = "" if error.filename is None else f"{error.filename}: "
            _fail([f"{where}{error.strerror or error}"], FAILED)
        except typer.Abort:
            _fail(["stopped"], FAILED)
        sys.exit(code if isinstance(code, int) else 0)


app = typer.Typer(
    cls=App,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="YAML configuration.", show_default=True)
]
DEFAULT_CONFIG = Path("config/config.yaml")
#: For commands that work without a workflow, and can take its settings.
TunedOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Take segment and quality from this configuration."),
]
AnalysisOption = Annotated[str, typer.Option(help="Of which analysis, with --config.")]


def show(lines: Iterable[str]) -> None:
    """Print lines; a reader that has seen enough, such as head, is no failure."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # what is printed from now on goes nowhere
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _version(asked: bool) -> None:
    if asked:
        print(phenopipe.__version__)
        raise typer.Exit


def _fail(problems: Iterable[str], code: int) -> NoReturn:
    """Print each problem as a line that a terminal does not obey, and leave."""
    from phenopipe.plan.names import printable

    for problem in problems:
        print(f"error: {printable(problem)}", file=sys.stderr)
    sys.exit(code)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Count and measure the leaves of plants in top-view pictures, thousands a night.

    `snakemake --cores all` runs the whole pipeline; the stages are here one by one.
    Every command shows an example with --help.

    Example: phenopipe measure pots/*.png --out measured
    """
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(MISUSED)
