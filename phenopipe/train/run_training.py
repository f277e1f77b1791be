"""Train one model by name, and let it pass only if it is no worse than its predecessor."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import torch
from lightning_fabric import Fabric

import phenopipe
from phenopipe.config import ModelSettings, TrainSettings
from phenopipe.errors import DivergedError, NotFiniteError
from phenopipe.files import copy_whole, write_text
from phenopipe.labelled import Source, check_sources, digest_sources, open_sources
from phenopipe.model.find import file_sha256, find_weights
from phenopipe.model.header import read_header
from phenopipe.model.weights import copy_weights, save_model
from phenopipe.model.wnet import WNet
from phenopipe.progress import track
from phenopipe.synth.soil import digest_soils
from phenopipe.train.card import write_card
from phenopipe.train.curves import write_curves
from phenopipe.train.engine import train_on_devices
from phenopipe.train.gate import Gate, Verdict, judge
from phenopipe.train.kept_back import learned_anyway, note_kept_back
from phenopipe.train.loop import optimise
from phenopipe.train.training import Training
from phenopipe.train.validate import Score, validate

log = logging.getLogger(__name__)


def train_model(name: str, settings: ModelSettings, folder: Path) -> Verdict:
    """Train a model and write it, or its predecessor if it is worse or its training diverged.

    Writes ``model.safetensors``, ``metrics.json`` and ``model_card.md`` into `folder`. The
    course of the training and the last model that passed are kept in ``folder/training``; a
    model that does not pass is kept there as ``rejected.safetensors``, the course of a training
    that diverged as ``diverged.csv`` and ``diverged.html``.

    Parameters
    ----------
    name : str
        Name of the model.
    settings : ModelSettings
        Where training starts, and how it goes; ``settings.train`` is not None.
    folder : Path
        Folder of this model.

    Returns
    -------
    Verdict
        Whether the new model passed.

    Raises
    ------
    ModelError
        If the weights to start from are missing or of another shape.
    InputError
        If labelled pictures to learn from are amiss.
    DivergedError
        If the training diverges and there is no predecessor.
    StoppedError
        If a signal asks for a stop; the same call goes on.
    """
    training = settings.train
    if training is None:
        raise ValueError(f"model {name!r} has no train block")
    work = folder / "training"
    start = find_weights(settings.weights) if settings.weights else None
    gate = Gate(work, start)
    sources = open_sources(training.data)
    check_sources(sources)
    origin = _origin(start, sources, training.plants.soil_folder)
    try:
        train_on_devices(_fit, training, training, sources, start, origin, work, gate.candidate)
        score = _score(gate.candidate, training, sources)
    except DivergedError as error:
        _keep_course(work)
        predecessor = gate.in_use
        if predecessor is None:
            raise
        verdict = Verdict(False, str(error), None, validate(predecessor, training, sources))
        log.warning("model %s: %s", name, error)
    else:
        predecessor = gate.predecessor
        verdict = _compare(name, score, predecessor, training, sources)
    gate.settle(name, verdict, predecessor)
    _publish(name, training, verdict, gate.accepted, folder)
    return verdict


def _origin(start: Path | None, sources: Sequence[Source], soil_folder: str | None) -> str:
    """Hash what is in the files that the course of a training depends on."""
    weights = file_sha256(start) if start else "random"
    return f"{weights} {digest_sources(sources)} {digest_soils(soil_folder) if soil_folder else ''}"


def _fit(
    fabric: Fabric,
    training: TrainSettings,
    sources: Sequence[Source],
    start: Path | None,
    origin: str,
    work: Path,
    output: Path,
) -> None:
    """Run the training and write its averaged weights: the work of each device's process."""
    torch.manual_seed(training.seed)
    model = WNet(
        training.preset, training.embedding_dim, stop_gradient=training.losses.stop_gradient
    )
    if start is not None:
        copy_weights(model, start)
    state = Training.start(model, fabric, training.optimiser)
    steps = optimise(state, training, sources, work, origin)
    if not fabric.is_global_zero:
        deque(steps, maxlen=0)
        return
    first = next(steps, None)
    done = training.steps if first is None else first[0]
    steps = steps if first is None else chain([first], steps)
    for number, loss in track(steps, training.steps, "train", done):
        if number % 50 == 0 or number + 1 == training.steps:
            log.info("step %d of %d: loss %.4f", number + 1, training.steps, loss)
    facts = {"steps": str(training.steps), "phenopipe_version": phenopipe.__version__}
    facts |= note_kept_back(training.data, sources, start)
    save_model(output, state.averaged.cpu(), facts)


def _score(candidate: Path, training: TrainSettings, sources: Sequence[Source]) -> Score:
    """Score what was trained; weights beyond float16 or outputs that are NaN have diverged."""
    try:
        return validate(candidate, training, sources)
    except NotFiniteError as error:
        raise DivergedError(f"diverged: {error}") from error


def _compare(
    name: str,
    score: Score,
    predecessor: Path | None,
    training: TrainSettings,
    sources: Sequence[Source],
) -> Verdict:
    """Judge what was trained by its predecessor, and say where that has seen the pictures."""
    if predecessor is None:
        return judge(score, None, training.gate_margin)
    old = validate(predecessor, training, sources)
    verdict = judge(score, old, training.gate_margin)
    if not (seen := learned_anyway(predecessor, sources)):
        return verdict
    unfair = (
        f"the predecessor, which learned from some of these pictures of {', '.join(seen)} before "
        "they were kept back, may score too high"
    )
    log.warning("model %s: %s", name, unfair)
    return replace(verdict, reason=f"{verdict.reason}; {unfair}")


def _keep_course(work: Path) -> None:
    """Keep the losses of a training that diverged where the next training does not write."""
    losses = work / "diverged.csv"
    copy_whole(work / "losses.csv", losses)
    write_curves(losses, work / "diverged.html")


def _publish(
    name: str, training: TrainSettings, verdict: Verdict, accepted: Path, folder: Path
) -> None:
    """Write what later stages and people read; the model itself comes last."""
    metrics = {
        "model": name,
        "passed": verdict.passed,
        "reason": verdict.reason,
        "sha256": file_sha256(accepted),
        "candidate": verdict.candidate.as_dict() if verdict.candidate else None,
        "predecessor": verdict.predecessor.as_dict() if verdict.predecessor else None,
    }
    write_text(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    write_card(folder / "model_card.md", name, training, metrics, read_header(accepted))
    copy_whole(accepted, folder / "model.safetensors")
