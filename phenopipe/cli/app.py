"""The application that the commands belong to, and the options that several share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import phenopipe

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="YAML configuration.", show_default=True)
]
DEFAULT_CONFIG = Path("config/config.yaml")


def _version(asked: bool) -> None:
    if asked:
        print(phenopipe.__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Count and measure the leaves of plants in top-view pictures, thousands a night.

    `snakemake --cores all` runs the whole pipeline; the stages are here one by one.
    """
