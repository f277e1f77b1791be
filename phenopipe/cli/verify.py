"""The command `phenopipe verify`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer


def verify(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The folder results.")] = Path(
        "results"
    ),
    remove: Annotated[
        bool,
        typer.Option(
            "--remove",
            help="Remove what is damaged and what was made from it, so that the next run makes it.",
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="Says where pictures are; by default config/config.yaml beside RESULTS.",
        ),
    ] = None,
) -> None:
    """Compare the checksums of all stored pixels, and name the stores that were damaged.

    What could not be made again, because its pictures are gone, stays.

    Exit code 1 if there is a damaged store that stays, or if a run is going on with --remove.

    Example: phenopipe verify results --remove
    """
    from phenopipe.errors import StoreError
    from phenopipe.nightly.lock import sole_folder
    from phenopipe.plan.names import printable
    from phenopipe.verify import find_damage, find_lost, remove_damaged

    folder = results.resolve().parent
    image_root = folder / _image_root(config or folder / "config/config.yaml") if remove else folder
    staying = []
    # What a run replaces while it is read looks damaged.
    with sole_folder(folder) if remove else nullcontext():
        found = find_damage(results)
        if found and not remove:
            raise StoreError(*(damage.reason for damage in found))
        for damage in found:
            print(printable(f"damaged: {damage.reason}"))
            if lost := find_lost(results, damage, found, image_root):
                more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
                staying.append(f"{damage.store}: stays, since {lost[0]}{more} is gone")
                continue
            for path in remove_damaged(results, damage):
                print(printable(f"removed: {path}"))
    if staying:
        raise StoreError(*staying)
    print("next: snakemake, as before" if found else "every store is as it was written")


def _image_root(config: Path) -> str:
    from phenopipe.config import load_config

    return load_config(config).plan.image_root
