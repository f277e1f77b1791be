"""The command `phenopipe nightly`."""

from __future__ import annotations

from typing import Annotated

import typer

from phenopipe.cli.app import DEFAULT_CONFIG, ConfigOption, show


def nightly(
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTIONS]", help="Options of Snakemake.", show_default=False),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Run the experiment of this folder unattended: for a timer, once a night.

    Checks the disk, leaves image sets that are still being copied for the next night, runs
    Snakemake, writes results/nightly/ and calls the hook of the configuration.

    Exit codes: 0 all is well, 1 wrong files or settings, 2 wrong command, 3 another run goes on,
    4 too little disk space, 5 Snakemake ended with an error.

    Example: phenopipe nightly -- --cores 8
    """
    import sys

    from phenopipe.nightly import BUSY, BusyError, night_text, run_night

    try:
        night = run_night(config, options or ())
    except BusyError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(BUSY) from error
    show(night_text(night).splitlines())
    raise typer.Exit(night.exit_code)
