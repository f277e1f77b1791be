"""The command `phenopipe init`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new experiment.")],
    images: Annotated[
        Path, typer.Option(help="Folder of pictures, or of one subfolder per image set.")
    ],
    pattern: Annotated[
        str | None,
        typer.Option(help="How file names are read, such as '{timestamp:%Y%m%d}_{camera}_{pot}'."),
    ] = None,
) -> None:
    """Write a configuration and profiles for a new experiment.

    Example: phenopipe init spring --images /data/greenhouse1
    """
    from phenopipe.plan.names import printable
    from phenopipe.project import init_project

    for roster in init_project(folder, images, pattern):
        dropped = len(roster.rows) - len(roster.kept)
        print(f"{printable(roster.image_set)}: {len(roster.kept)} images, {dropped} files dropped")
    print(
        f"\nwrote config/config.yaml, profiles/ and Snakefile in {printable(str(folder))}; next:\n"
        f"  cd {printable(shlex.quote(str(folder)))}\n"
        "  phenopipe plan --dry-run     # each file: what its name says, or why not\n"
        "  snakemake --cores all"
    )
