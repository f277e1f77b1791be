"""The command `phenopipe compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phenopipe.cli.app import DEFAULT_CONFIG, ConfigOption, show


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="Name of an analysis.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Name of another.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder; by default RESULTS/comparisons/A/B."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of the pipeline's results.")] = Path(
        "results"
    ),
    image_set: Annotated[
        list[str] | None, typer.Option("--set", help="Compare this image set alone; repeatable.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say which plants changed leaf count or area from analysis A to analysis B.

    Writes changes.csv (a row per plant), summary.csv (a row per image set) and report.html.

    Example: phenopipe compare default strict
    """
    from phenopipe.compare import find_sets, set_paths, summary_lines, write_comparison
    from phenopipe.config import load_config
    from phenopipe.errors import InputError
    from phenopipe.plan.names import printable, set_key

    settings = load_config(config)
    keys = find_sets(results, a, b)
    asked = [set_key(name) for name in image_set or []] or keys
    if missing := [key for key in asked if key not in keys]:
        raise InputError(*(f"{results}: neither {a} nor {b} has a set {key}" for key in missing))
    known = {name: analysis.model_dump(mode="json") for name, analysis in settings.analyses.items()}
    made_with = known.get(a, {}), known.get(b, {})
    folder = out or results / "comparisons" / a / b
    sets = [set_paths(results, a, b, key) for key in asked]
    found = write_comparison(sets, a, b, folder, settings=settings.compare, made_with=made_with)
    show(
        map(printable, [f"A: {a}, B: {b}", *summary_lines(found.summary), f"{folder}/report.html"])
    )
