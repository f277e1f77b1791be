# What all rules share: the checked configuration and the workflow's targets.
import os
import re
import shutil
import signal
import sys
import time
from functools import cache
from pathlib import Path

from phenopipe.garbage import end_quickly, importing

with importing():
    import phenopipe
    from phenopipe.config import check_config, read_yaml
    from phenopipe.config.train import RUN_ONLY
    from phenopipe.cluster.leftovers import cancel_leftovers
    from phenopipe.inputs import check_inputs
    from phenopipe.logs import error_lines, list_warnings
    from phenopipe.model.find import file_sha256, find_weights
    from phenopipe.model.rejection import rejection
    from phenopipe.plan.names import printable
    from phenopipe.plan.rosters import Rosters
    from phenopipe.run_lock import RunLock
    from phenopipe.run_summary import summary_text

STARTED = time.time()
end_quickly()

# A night names the image sets that it leaves in a file of its own, .snakemake/phenopipe-hold.yaml.
CONFIG_FILES = [
    str(file)
    for file in workflow.overwrite_configfiles
    if file.parent.name != ".snakemake"
] or ["config/config.yaml"]
with error_lines():
    if workflow.is_main_process:
        # Of two keys of one name Snakemake takes the last; this says so.
        for file in CONFIG_FILES:
            read_yaml(file)
    CONFIG = check_config(config, source=", ".join(CONFIG_FILES))

# A job that can be parallel takes what --cores gives; on a cluster, which counts jobs instead, its
# profile says how many CPUs that is (set-threads).
ALL_CORES = workflow.resource_settings.cores or 4

# SLURM's warning before the end of a job's time goes to all its processes. A training hears it, as
# scripts/train.py says; Snakemake lives on to see it write its checkpoint.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)

# The environments of --sdm conda hold what phenopipe needs; phenopipe itself lies in this checkout.
os.environ.update(
    PYTHONPATH=os.pathsep.join(
        filter(
            None, [str(Path(phenopipe.__file__).parents[1]), os.getenv("PYTHONPATH")]
        )
    )
)

# The main process makes the rosters from names and times when it reads this file; jobs read what
# it wrote and never list image folders (docs/architecture.md).
ROSTERS = Rosters(CONFIG, "results/plan", scan=workflow.is_main_process)
if workflow.is_main_process:
    with error_lines():
        check_inputs(CONFIG, ROSTERS)

# Snakemake's mark that a folder is in use outlives a run that was killed, and would stop the next
# one; where its owner has certainly ended, it is removed (docs/architecture.md).
RUN_LOCK = RunLock(".snakemake/phenopipe.lock")
HAS_FOLDER = workflow.is_main_process and RUN_LOCK.join()
if HAS_FOLDER:
    shutil.rmtree(".snakemake/locks", ignore_errors=True)


wildcard_constraints:
    # A plus sign is in names of joint shards alone, which ingest and predict know as sets.
    set="[A-Za-z0-9._%+-]+",
    shard="[0-9]+",
    model="|".join(map(re.escape, CONFIG.models)),
    analysis="|".join(map(re.escape, CONFIG.analyses)),
    a="|".join(map(re.escape, CONFIG.analyses)),
    b="|".join(map(re.escape, CONFIG.analyses)),


def cores_for(wildcards):
    """Give one core to a set so small that nothing in its job is parallel, all to others."""
    crops = ROSTERS[wildcards.set].kept * CONFIG.ingest.most_crops
    return ALL_CORES if CONFIG.dask.is_parallel(crops) else 1


def all_tables(wildcards):
    """Name every analysis's tables and its check."""
    return [
        *expand(
            "results/analyses/{analysis}/sets/{set}/{table}.csv",
            analysis=CONFIG.analyses,
            set=ROSTERS,
            table=["plants", "leaves"],
        ),
        *expand("results/analyses/{analysis}/checked", analysis=CONFIG.analyses),
    ]


def all_reports(wildcards):
    """Name every analysis's pages."""
    return [
        *expand(
            "results/analyses/{analysis}/sets/{set}/report.html",
            analysis=CONFIG.analyses,
            set=ROSTERS,
        ),
        *expand(
            "results/analyses/{analysis}/season/report.html", analysis=CONFIG.analyses
        ),
        *(f"results/comparisons/{a}/{b}/report.html" for a, b in CONFIG.compared),
    ]


def model_of(wildcards):
    """Name the model of an analysis."""
    return CONFIG.analyses[wildcards.analysis].model


def shards_of(pattern):
    """Make an input function that fills a pattern with a set's shards, joint ones too."""
    return lambda wildcards: expand(
        pattern,
        shard=ROSTERS[wildcards.set].shard_paths,
        model=model_of(wildcards),
    )


def all_sets_of(pattern):
    """Make an input function that fills a pattern with all image sets."""
    return lambda wildcards: expand(pattern, set=ROSTERS, analysis=wildcards.analysis)


def both_of(pattern):
    """Make an input function that fills a pattern with both analyses and all image sets."""
    return lambda wildcards: expand(
        pattern, analysis=[wildcards.a, wildcards.b], set=ROSTERS
    )


def all_crops(wildcards):
    """Name the crops of all image sets, those of a joint shard once."""
    shards = dict.fromkeys(
        shard for outline in ROSTERS.values() for shard in outline.shard_paths
    )
    return expand(
        ["results/crops/{shard}.zarr", "results/crops/{shard}.tsv"], shard=shards
    )


def drawn_pictures(wildcards):
    """Name the folders of drawn pictures that a shard is cut from."""
    return expand("results/synth/images/{set}", set=ROSTERS.sets_of(wildcards.set))


def settings_of(block):
    """Make a function that gives a block of an analysis's settings."""
    return lambda wildcards: getattr(
        CONFIG.analyses[wildcards.analysis], block
    ).model_dump(mode="json")


def gpus(settings):
    """Count the GPUs that a stage asks for: none if its settings send it to the CPU."""
    if settings.device == "cpu":
        return 0
    devices = getattr(settings, "devices", "auto")
    return 1 if devices == "auto" else devices


def start_sha256(wildcards):
    """Hash the weights from which a training starts."""
    weights = CONFIG.models[wildcards.model].weights
    return weights and file_sha256(find_weights(weights))


def labels_sha256(wildcards):
    """Hash the labelled pictures that a training learns from; empty where it draws all."""
    data = CONFIG.models[wildcards.model].train.data
    if all(source.kind == "synthetic" for source in data):
        return ""
    # Readers of pictures take long to import, and other jobs do without them.
    from phenopipe.labelled import digest_sources, open_sources

    return digest_sources(open_sources(data))


@cache
def soils_sha256(wildcards):
    """Hash the pictures of bare soil under drawn plants; empty where all soil is drawn."""
    folder = CONFIG.models[wildcards.model].train.plants.soil_folder
    if not folder:
        return ""
    from phenopipe.synth.soil import digest_soils, load_soils

    digest = digest_soils(folder)
    load_soils.cache_clear()  # a run is long, and its main process needs no pictures
    return digest


@cache
def plants_sheet_sha256(wildcards):
    """Hash the plants sheet; empty where there is none."""
    sheet = CONFIG.tabulate.plants_sheet
    return file_sha256(Path(sheet)) if sheet else ""


def model_file(wildcards):
    """Name the file of a model: trained here, or given."""
    settings = CONFIG.models[wildcards.model]
    if settings.train is None:
        return str(find_weights(settings.weights))
    return checkpoints.train.get(model=wildcards.model).output.model


def model_sha256(wildcards):
    """Hash a model file; one that is still to be trained has no hash yet."""
    settings = CONFIG.models[wildcards.model]
    if settings.train is None:
        path = find_weights(settings.weights)
    else:
        path = Path("results/models", wildcards.model, "model.safetensors")
    return hash_once(path, path.stat().st_mtime_ns) if path.is_file() else None


@cache
def hash_once(path, mtime_ns):
    return file_sha256(path)


def made_with(wildcards):
    """Name an analysis's settings for its pages."""
    return CONFIG.analyses[wildcards.analysis].model_dump(mode="json")


def both_made_with(wildcards):
    """Name the settings of two analyses that are compared."""
    return [
        CONFIG.analyses[name].model_dump(mode="json")
        for name in (wildcards.a, wildcards.b)
    ]


def cancel_jobs_left_behind():
    """End what a run that was killed left in SLURM: this one starts the same jobs again."""
    if HAS_FOLDER and (jobs := cancel_leftovers(".")):
        print(f"cancelled jobs of an earlier run: {' '.join(jobs)}", file=sys.stderr)


def print_summaries(since=0.0):
    """End a run with what came of it, for every analysis that got that far since a time."""
    for line in ROSTERS.dropped():
        print(line, file=sys.stderr)
    for analysis in CONFIG.analyses:
        path = Path("results/analyses") / analysis / "summary.json"
        if path.is_file() and path.stat().st_mtime >= since:
            with error_lines():
                print(f"\n{path}\n{summary_text(path)}", file=sys.stderr)
        else:
            print(f"\nanalysis {analysis}: not reached, see logs/", file=sys.stderr)
    for model, settings in CONFIG.models.items():
        with error_lines():
            told = settings.train and rejection(Path("results/models", model))
            if told:
                print(f"\n{told}", file=sys.stderr)
    for line in list_warnings("logs", STARTED):
        print(f"\n{printable(line)}", file=sys.stderr)
