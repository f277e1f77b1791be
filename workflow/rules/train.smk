# Models. A checkpoint, since whether predictions are made anew depends on what training gives:
# a model that does not pass its gate leaves the old one, and every prediction, as it is.
from functools import cache
from pathlib import Path

from phenopipe.model.find import file_sha256, find_weights


def start_sha256(wildcards):
    """Hash the weights from which a training starts."""
    weights = CONFIG.models[wildcards.model].weights
    return weights and file_sha256(find_weights(weights))


checkpoint train:
    output:
        model="results/models/{model}/model.safetensors",
        metrics="results/models/{model}/metrics.json",
        card="results/models/{model}/model_card.md",
    log:
        "logs/train/{model}.log",
    benchmark:
        "logs/train/{model}.benchmark.tsv"
    threads: workflow.cores or 4
    params:
        settings=lambda wildcards: CONFIG.models[wildcards.model].model_dump(
            mode="json", exclude={"train": {"workers", "checkpoint_minutes"}}
        ),
        start_sha256=start_sha256,
    message:
        "train: model {wildcards.model}"
    script:
        "../scripts/train.py"


def model_file(wildcards):
    """Name the file of a model: trained here, or given."""
    settings = CONFIG.models[wildcards.model]
    if settings.train is None:
        return str(find_weights(settings.weights))
    return checkpoints.train.get(model=wildcards.model).output.model


def model_sha256(path):
    """Hash a model file; one that is still to be trained has no hash yet."""
    if not Path(path).is_file():
        return "not trained yet"
    return hash_once(path, Path(path).stat().st_mtime_ns)


@cache
def hash_once(path, mtime_ns):
    return file_sha256(path)
