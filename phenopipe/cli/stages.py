"""One command per stage: what a job of the workflow does, on files that you name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phenopipe.cli.app import DEFAULT_CONFIG, ConfigOption, show

if TYPE_CHECKING:
    from phenopipe.config import AnalysisSettings, Config, QualitySettings, SegmentSettings

Name = Annotated[str, typer.Argument(help="Name in the configuration.")]
Crops = Annotated[
    list[Path], typer.Option("--crops", help="Crops of a shard, SHARD.zarr (SHARD.tsv beside it).")
]
RosterOption = Annotated[
    Path | None,
    typer.Option(
        "--roster", help="The set's roster, SET.roster.tsv: needed for crops of a joint shard."
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where to write.")]


def synth(
    image_set: Annotated[str, typer.Argument(metavar="SET", help="Such as night_01.")],
    out: Out = Path("results/synth"),
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw an image set of the demo's greenhouse, with the true labels beside it.

    Example: phenopipe synth night_01 --out results/synth
    """
    from phenopipe.config import load_config
    from phenopipe.errors import ConfigError
    from phenopipe.synth import render_set

    settings = load_config(config).synth
    if settings is None:
        raise ConfigError(f"{config}: synth: is null; give it a block to draw a greenhouse")
    render_set(settings, image_set, out / "images" / image_set, out / "truth" / image_set)


def plan(
    out: Out = Path("results/plan"),
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            "-n",
            help="Only print each file: kept, and what its name says, or why not.",
        ),
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Find the images of all sets and share them out to shards.

    Example: phenopipe plan --dry-run
    """
    from phenopipe.config import load_config
    from phenopipe.plan import iter_lines, iter_rosters, read_roster, write_plan
    from phenopipe.plan.rosters import Rosters

    settings = load_config(config)
    if dry_run:
        for _, roster in iter_rosters(settings, out):
            show(iter_lines(roster))
        return
    rosters = Rosters(settings, out, scan=True)
    rosters.write()
    for key in rosters:
        roster = read_roster(out / f"{key}.roster.tsv")
        show(iter_lines(roster))
        write_plan(roster, out / f"{key}.tsv")


def ingest(
    roster: Annotated[Path, typer.Argument(help="A set's roster, results/plan/SET.roster.tsv.")],
    shard: Annotated[str, typer.Argument(help="Shard, such as 0000.")],
    out: Out,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Cut the crops of a shard: OUT/SHARD.zarr and OUT/SHARD.tsv.

    Example: phenopipe ingest results/plan/night_01.roster.tsv 0000 --out results/crops/night_01
    """
    from phenopipe.config import load_config
    from phenopipe.ingest import ingest_shard

    settings = load_config(config)
    ingest_shard(
        roster,
        shard,
        settings.plan.image_root,
        out / f"{shard}.zarr",
        out / f"{shard}.tsv",
        settings.ingest,
    )


def train(
    model: Name,
    out: Out = Path("results/models"),
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Train a model; it replaces its predecessor only if it is no worse.

    Example: phenopipe train demo --out results/models
    """
    from phenopipe.config import load_config
    from phenopipe.errors import ConfigError
    from phenopipe.train import train_model

    models = load_config(config).models
    if model not in models or models[model].train is None:
        raise ConfigError(
            f"{config}: models.{model}.train: is missing; give the model a train block"
        )
    verdict = train_model(model, models[model], out / model)
    print(f"{'passed' if verdict.passed else 'NOT PASSED'}: {verdict.reason}")


def predict(
    crops: Annotated[Path, typer.Argument(help="Crops of a shard, SHARD.zarr.")],
    out: Annotated[Path, typer.Option(help="Store to write, SHARD.zarr.")],
    model: Annotated[
        str, typer.Option(help="A .safetensors file, or packaged weights.")
    ] = "default",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Run the network over the crops of a shard.

    Example: phenopipe predict results/crops/night_01/0000.zarr --out 0000.zarr
    """
    from phenopipe.config import load_config
    from phenopipe.ingest import borrow_crops
    from phenopipe.model.find import find_weights
    from phenopipe.predict import predict_shard

    weights, settings = find_weights(model), load_config(config).predict
    with borrow_crops([crops]) as (store,):
        predict_shard(store, weights, out, settings, table=crops.with_suffix(".tsv"))


def segment(
    crops: Crops,
    predictions: Annotated[
        list[Path], typer.Option(help="Predictions of the same shards, in the same order.")
    ],
    out: Out,
    analysis: Annotated[str, typer.Option(help="Name in the configuration.")] = "default",
    workers: Annotated[int, typer.Option(min=1, help="Workers side by side.")] = 1,
    roster: RosterOption = None,
    performance_report: Annotated[
        Path | None, typer.Option(help="Write what Dask's workers did when, as HTML.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Find and measure leaves: OUT/labels.zarr and OUT/measurements.parquet.

    Example: phenopipe segment --crops 0000.zarr --predictions predictions/0000.zarr --out night_01
    """
    from phenopipe.fork_server import start_fork_server
    from phenopipe.garbage import importing

    if workers > 1:  # most likely processes; what they need is imported beside what this one needs
        start_fork_server()
    with importing():
        from phenopipe.config import load_config

        settings = load_config(config)
        if settings.dask.cluster == "processes":
            start_fork_server()
        from phenopipe.ingest import borrow_crops
        from phenopipe.own_rows import read_places
        from phenopipe.segment import segment_set

    tables = [store.with_suffix(".tsv") for store in crops]
    places = read_places(roster, tables) if roster else None
    with borrow_crops(crops, places) as stores:
        segment_set(
            list(zip(tables, stores, strict=True)),
            predictions,
            out / "labels.zarr",
            out / "measurements.parquet",
            places=places,
            settings=analysis_of(settings, analysis).segment,
            dask=settings.dask,
            workers=workers,
            performance_report=performance_report,
        )


def tabulate(
    plan: Annotated[Path, typer.Option(help="A set's plan, results/plan/SET.tsv.")],
    crops: Crops,
    predictions: Annotated[Path, typer.Option(help="One of the set's predictions: its model.")],
    out: Out,
    analysis: Annotated[str, typer.Option(help="Name in the configuration.")] = "default",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write plants.csv and leaves.csv of a set beside OUT/measurements.parquet.

    Example: phenopipe tabulate --plan night_01.tsv --crops 0000.zarr --predictions p.zarr --out DIR
    """
    from phenopipe.config import load_config
    from phenopipe.store_attributes import read_attribute
    from phenopipe.tabulate import Provenance, tabulate_set

    settings = load_config(config)
    chosen = analysis_of(settings, analysis)
    tabulate_set(
        plan=plan,
        crops=[store.with_suffix(".tsv") for store in crops],
        measurements=out / "measurements.parquet",
        plants_sheet=settings.tabulate.plants_sheet,
        quality=chosen.quality,
        provenance=Provenance(
            analysis,
            chosen.model,
            read_attribute(predictions, "model_sha256", "predictions"),
        ),
        out=out,
    )


def season(
    tables: Annotated[
        list[Path], typer.Argument(help="Folders of sets' tables, plants.csv and leaves.csv.")
    ],
    out: Out,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Follow plants and leaves over image sets: growth rates, leaf emergence, leaf tracks.

    Example: phenopipe season results/analyses/default/sets/* --out season
    """
    from phenopipe.config import load_config
    from phenopipe.season import write_season

    write_season(
        plants=[folder / "plants.csv" for folder in tables],
        leaves=[folder / "leaves.csv" for folder in tables],
        settings=load_config(config).season,
        out=out,
    )


def report(
    tables: Annotated[Path, typer.Argument(help="Folder of a set's or the season's tables.")],
    crops: Annotated[
        list[Path] | None, typer.Option(help="A set's crops, SHARD.zarr, in order.")
    ] = None,
    analysis: Annotated[str, typer.Option(help="Name in the configuration.")] = "default",
    roster: RosterOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write TABLES/report.html: of an image set, or, without crops, of the season.

    Example: phenopipe report results/analyses/default/season
    """
    from phenopipe.config import load_config
    from phenopipe.ingest import borrow_crops
    from phenopipe.own_rows import read_places
    from phenopipe.report import write_season_report, write_set_report

    settings = load_config(config)
    made_with = analysis_of(settings, analysis).model_dump(mode="json")
    out = tables / "report.html"
    if crops:
        places = read_places(roster, crops) if roster else None
        with borrow_crops(crops, places) as stores:
            write_set_report(
                plants=tables / "plants.csv",
                crop_tables=[store.with_suffix(".tsv") for store in crops],
                crops=stores,
                labels=tables / "labels.zarr",
                settings=settings.report,
                made_with=made_with,
                out=out,
                places=places,
            )
    else:
        write_season_report(
            plants=tables / "plants.csv",
            growth=tables / "growth.csv",
            tracks=tables / "tracks.csv",
            settings=settings.report,
            made_with=made_with,
            out=out,
        )


def analysis_of(settings: Config, name: str) -> AnalysisSettings:
    """Return an analysis by name.

    Raises
    ------
    ConfigError
        If the configuration has no such analysis.
    """
    from phenopipe.errors import ConfigError

    if name not in settings.analyses:
        raise ConfigError(f"analyses: has no {name!r}, only {', '.join(settings.analyses)}")
    return settings.analyses[name]


def tuned(config: Path | None, analysis: str) -> tuple[SegmentSettings, QualitySettings]:
    """Return an analysis's settings of segment and quality; the defaults without a configuration.

    Raises
    ------
    ConfigError
        If the configuration is wrong or has no such analysis.
    """
    from phenopipe.config import AnalysisSettings, load_config

    chosen = AnalysisSettings() if config is None else analysis_of(load_config(config), analysis)
    return chosen.segment, chosen.quality
