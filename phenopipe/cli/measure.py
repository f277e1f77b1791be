"""The command `phenopipe measure`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def measure(
    images: Annotated[list[Path], typer.Argument(help="Pictures.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for tables, label maps and overlays.")
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A .safetensors file, or packaged weights.")
    ] = "default",
    pots: Annotated[
        Path | None,
        typer.Option(help="YAML: rows, cols and four corners, or a list of boxes, px."),
    ] = None,
    mm_per_px: Annotated[
        float | None, typer.Option(help="Millimetres that a pixel spans at leaf height.", min=1e-6)
    ] = None,
) -> None:
    """Count and measure the leaves in pictures, without a workflow.

    Writes OUT/plants.csv, OUT/leaves.csv, OUT/labels/STEM.png and OUT/overlays/STEM.jpg. A picture
    that cannot be read is a flagged row; the exit code is 1 if there is no picture that can.

    Example: phenopipe measure pots/*.png --out measured
    """
    from phenopipe.config import PotLayout, check_block, read_yaml
    from phenopipe.measure_folder import measure_folder
    from phenopipe.measurement import Measurer
    from phenopipe.threads import use_all_threads

    use_all_threads()
    layout = None if pots is None else check_block(PotLayout, read_yaml(pots), str(pots))
    measurer = Measurer.load(model, pots=layout, mm_per_px=mm_per_px)
    summary = measure_folder(measurer, images, out)
    print(summary, end="")
