"""The command `phenopipe submission`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def submission(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Of the test set: holds A1, A2, ... with plant*_rgb.png."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="HDF5 file to write.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A .safetensors file, or packaged weights.")
    ] = "default",
) -> None:
    """Segment the Leaf Segmentation Challenge's test set into the file that its server takes.

    Example: phenopipe submission CVPPP2017_LSC_testing --out submission.h5
    """
    from phenopipe.labelled import write_submission
    from phenopipe.labelled.challenge import segment_plants
    from phenopipe.measurement import Measurer

    number = write_submission(out, segment_plants(folder, Measurer.load(model)))
    print(f"wrote the leaves of {number} plants to {out}")
