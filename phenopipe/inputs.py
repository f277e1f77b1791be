"""Look at everything that a run is given before its first job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from phenopipe.config import Config, PlanSettings
from phenopipe.errors import InputError, PhenopipeError
from phenopipe.model.find import find_weights
from phenopipe.model.header import read_header
from phenopipe.plan.rosters import Rosters


def check_inputs(config: Config, rosters: Rosters) -> None:
    """Check that images, models, labelled pictures and the plants sheet are there and readable.

    Of models only headers are read, of images and labelled pictures only names; pictures of bare
    soil are read.

    Parameters
    ----------
    config : Config
        The configuration.
    rosters : Rosters
        The rosters of its image sets.

    Raises
    ------
    InputError
        If anything is wrong; one line for each problem, all of them at once.
    """
    problems = [problem for check in _checks(config, rosters) for problem in _problems(check)]
    if problems:
        raise InputError(*problems)


def _checks(config: Config, rosters: Rosters) -> Iterator[Callable[[], object]]:
    yield partial(list, rosters)
    yield partial(_check_synth, config)
    for weights in dict.fromkeys(model.weights for model in config.models.values()):
        if weights:
            yield partial(_check_model, weights)
    for model in config.models.values():
        if model.train and any(source.kind != "synthetic" for source in model.train.data):
            from phenopipe.labelled import open_sources  # OpenCV: only where it is needed

            yield partial(open_sources, model.train.data)
    trained = [model.train for model in config.models.values() if model.train]
    for folder in dict.fromkeys(train.plants.soil_folder for train in trained):
        if folder:
            from phenopipe.synth.soil import load_soils  # OpenCV: only where it is needed

            yield partial(load_soils, folder)
    if sheet := config.tabulate.plants_sheet:
        from phenopipe.tabulate.sheet import read_plants_sheet  # pandas: only where it is needed

        yield partial(read_plants_sheet, sheet)


def _check_synth(config: Config) -> None:
    """Check that a greenhouse that is drawn does not hide pictures that are asked for."""
    drawn = PlanSettings().image_root
    elsewhere = Path(config.plan.image_root).resolve() != Path(drawn).resolve()
    if config.synth and (elsewhere or config.plan.sample_sheet):
        key = "sample_sheet" if config.plan.sample_sheet else "image_root"
        raise InputError(
            f"synth: draws its own pictures into {drawn}; set synth: null to use plan.{key}"
        )


def _check_model(weights: str) -> None:
    read_header(find_weights(weights))


def _problems(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except PhenopipeError as error:
        return list(error.problems)
    return []
