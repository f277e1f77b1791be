"""The command `phenopipe measure`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phenopipe.cli.app import AnalysisOption, TunedOption

if TYPE_CHECKING:
    from phenopipe.config import PotLayout


def measure(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE", help="Pictures.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for tables, label maps and overlays.")
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A .safetensors file, or packaged weights.")
    ] = "default",
    pots: Annotated[
        Path | None,
        typer.Option(help="YAML with rows, cols and four corners (x, y), or with boxes, px."),
    ] = None,
    mm_per_px: Annotated[
        float | None, typer.Option(help="Millimetres that a pixel spans at leaf height.")
    ] = None,
    config: TunedOption = None,
    analysis: AnalysisOption = "default",
) -> None:
    """Count and measure the leaves in pictures, without a workflow.

    Writes plants.csv, leaves.csv, labels/STEM.png and overlays/STEM.jpg.
    Pictures that share a stem have their folders in the name.

    A picture that cannot be read is a flagged row; exit code 1 if none can.

    Example: phenopipe measure pots/*.png --out measured
    """
    from phenopipe.cli.stages import tuned
    from phenopipe.measure_folder import measure_folder
    from phenopipe.measurement import Measurer
    from phenopipe.plan.names import printable

    layout = None if pots is None else _read_pots(pots)
    segment, quality = tuned(config, analysis)
    measurer = Measurer.load(
        model, pots=layout, mm_per_px=mm_per_px, segment=segment, quality=quality
    )
    summary = measure_folder(measurer, images, out)
    for failure in summary.failures:
        print(printable(f"failed: {failure.image}, pot {failure.pot}: {failure.reason}"))
    print(
        f"{summary.rows} pots: {summary.ok} ok, {summary.flagged} flagged, "
        f"{summary.failed} failed; see {printable(str(out))}"
    )


def _read_pots(path: Path) -> PotLayout:
    from phenopipe.config import PotLayout, check_block, read_yaml

    data = read_yaml(path, "the keys rows, cols and corners, or boxes with the list below it")
    return check_block(PotLayout, data, str(path))
