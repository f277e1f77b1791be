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
) -> None:
    """Compare the checksums of all stored pixels, and name the stores that were damaged.

    Exit code 1 if there is a damaged store that stays, or if a run is going on with --remove.

    Example: phenopipe verify results --remove
    """
    from phenopipe.errors import StoreError
    from phenopipe.nightly.lock import sole_folder
    from phenopipe.plan.names import printable
    from phenopipe.verify import find_damage, remove_damaged

    # What a run replaces while it is read looks damaged.
    with sole_folder(results.resolve().parent) if remove else nullcontext():
        found = find_damage(results)
        if found and not remove:
            raise StoreError(*(damage.reason for damage in found))
        for damage in found:
            print(printable(f"damaged: {damage.reason}"))
            for path in remove_damaged(results, damage):
                print(printable(f"removed: {path}"))
    print("next: snakemake, as before" if found else "every store is as it was written")
