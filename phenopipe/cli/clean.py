"""The command `phenopipe clean`."""

from __future__ import annotations

from typing import Annotated

import typer

from phenopipe.cli.app import DEFAULT_CONFIG, ConfigOption, show


def clean(
    older_than: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="DAYS", help="In place of retention.crops_days.", show_default=False
        ),
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove them; without it they are only listed.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Remove crops of old image sets, and what killed jobs left; predictions and tables stay.

    A set's crops go only if its pictures are there, unchanged, and give the very same crops.
    Nothing is made again for it; a stage that needs them later cuts them for the time being.

    Example: phenopipe clean --older-than 30
    """
    from phenopipe.clean import clean_crops
    from phenopipe.config import load_config
    from phenopipe.nightly.lock import sole_folder
    from phenopipe.plan import printable

    settings = load_config(config)
    if older_than is not None:
        retention = settings.retention.model_copy(update={"crops_days": older_than})
        settings = settings.model_copy(update={"retention": retention})
    if delete:
        with sole_folder():
            done = clean_crops(settings, delete=True)
    else:
        done = clean_crops(settings)
    parts = f"{len(done.parts)} unfinished files or stores, " if done.parts else ""
    show(
        [
            *(f"{printable(str(path))}: {size:,} bytes" for path, size in done.parts.items()),
            *(f"{printable(str(path))}: {size:,} bytes" for path, size in done.stores.items()),
            *(f"stays: {printable(line)}" for line in done.refused),
            f"{len(done.stores)} stores, {parts}{done.freed:,} bytes "
            + ("removed" if delete else "would go; remove them with --delete"),
        ]
    )
