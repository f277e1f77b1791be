"""The command `phenopipe evaluate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phenopipe.cli.app import AnalysisOption, TunedOption

if TYPE_CHECKING:
    from phenopipe.config import SegmentSettings
    from phenopipe.evaluate import Pair
    from phenopipe.evaluate.pair_files import PairFiles


def evaluate(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for tables and the page.")],
    pictures: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="Pictures, NAME_rgb.png or .jpg with NAME_label.png beside them.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A .safetensors file, or packaged weights.")
    ] = "default",
    predictions: Annotated[
        Path | None,
        typer.Option(help="Score these label maps, or what measure wrote, instead of a model."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="True label maps, if they are not in FOLDER.")
    ] = None,
    crop_size: Annotated[
        int | None, typer.Option(help="Side of the crops that the model is given, px.")
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="Worst pictures to draw on the page.")] = 12,
    config: TunedOption = None,
    analysis: AnalysisOption = "default",
) -> None:
    """Score predicted leaves against true ones, of a model or of label maps.

    Writes images.csv, summary.csv, summary.json and report.html.
    Label maps are PNG or TIFF of one channel: 0 is background, other values are leaves.

    Score label maps with --predictions DIR --truth DIR: names are compared without _rgb and _label.

    Example: phenopipe evaluate CVPPP/A1 --model default --out evaluation
    """
    labels = truth or pictures
    if labels is None or (pictures is None and predictions is None):
        raise typer.BadParameter("give FOLDER, or --predictions and --truth")
    if config and predictions:
        raise typer.BadParameter("label maps of --predictions are made already: leave out --config")
    from phenopipe.cli.app import show
    from phenopipe.cli.stages import tuned
    from phenopipe.evaluate import score_pictures
    from phenopipe.evaluate.pair_files import check_pair_files, pair_files
    from phenopipe.evaluate.write import summary_lines, write_evaluation
    from phenopipe.plan.names import printable
    from phenopipe.progress import track

    files = pair_files(labels, predictions=predictions, pictures=pictures)
    check_pair_files(files)
    segment, _ = tuned(config, analysis)
    pairs, about = _pairs(files, predictions, model, crop_size, segment)
    scores = score_pictures(track(pairs, len(files), "evaluate"), worst=worst)
    about["truth"] = str(labels)
    if config:
        about |= {"config": str(config), "analysis": analysis}
    summary = write_evaluation(scores, out, about, title=labels.resolve().name)
    show(map(printable, summary_lines(summary)))


def _pairs(
    files: list[PairFiles],
    predictions: Path | None,
    model: str,
    crop_size: int | None,
    segment: SegmentSettings | None,
) -> tuple[Iterator[Pair], dict[str, str]]:
    """Return pairs to come, and facts on what they are predicted with."""
    from phenopipe import __version__
    from phenopipe.evaluate.read_pairs import measure_pairs, read_confidences, read_pairs

    about = {"phenopipe_version": __version__}
    if predictions is not None:
        leaves = read_confidences(predictions)
        about |= {"predictions": str(predictions), "confidences": str(leaves is not None).lower()}
        return read_pairs(files, leaves), about
    from phenopipe.measurement import Measurer

    measurer = Measurer.load(model, crop_size=crop_size, segment=segment)
    about |= {
        "model": measurer.provenance.model,
        "model_sha256": measurer.provenance.model_sha256,
        "crop_size": str(measurer.ingest.crop_size),
    }
    return measure_pairs(files, measurer), about
