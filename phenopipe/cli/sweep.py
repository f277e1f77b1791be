"""The command `phenopipe sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phenopipe.cli.app import DEFAULT_CONFIG, ConfigOption, show


def sweep(
    image_sets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SET]...", help="Image sets; by default all with predictions."),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(help="NAME=A,B,... or NAME=FIRST:LAST:HOW_MANY, a setting of segment."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Folder of true label maps, paired with images by name.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder; by default RESULTS/sweeps/ANALYSIS."),
    ] = None,
    analysis: Annotated[str, typer.Option(help="Whose settings to vary.")] = "default",
    results: Annotated[Path, typer.Option(help="Folder of the pipeline's results.")] = Path(
        "results"
    ),
    sample: Annotated[
        int, typer.Option(min=0, help="Use so many crops, spread evenly; 0 uses all.")
    ] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Workers side by side.")] = 1,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Try many settings of segment on stored predictions, and propose one to paste.

    With true label maps it proposes the settings of the best SBD, without the most stable ones.
    Writes points.csv, segment.yaml and report.html with heat maps. The network is not run.

    Example: phenopipe sweep night_01 --grid seed_threshold=0.2:0.6:5 --truth results/synth/truth
    """
    from phenopipe import __version__
    from phenopipe.cli.stages import analysis_of
    from phenopipe.config import load_config
    from phenopipe.plan.names import printable
    from phenopipe.sweep import sweep_lines, sweep_predictions, write_sweep
    from phenopipe.sweep.grid import make_grid
    from phenopipe.sweep.sources import find_predictions

    settings = load_config(config)
    chosen = analysis_of(settings, analysis)
    found = find_predictions(results, chosen.model, image_sets or [])
    folder = out or results / "sweeps" / analysis
    swept = sweep_predictions(
        found.crops,
        found.predictions,
        make_grid(chosen.segment, grid or []),
        folder,
        places=found.places,
        truth=truth,
        sample=sample,
        dask=settings.dask,
        workers=workers,
    )
    about = {
        "analysis": analysis,
        "model": chosen.model,
        "image_sets": ", ".join(found.sets),
        "truth": str(truth or ""),
        "phenopipe_version": __version__,
    }
    write_sweep(swept, folder, about)
    show(map(printable, [*sweep_lines(swept), f"{folder}/report.html"]))
