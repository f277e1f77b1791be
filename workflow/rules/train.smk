# Models. A checkpoint, since whether predictions are made anew depends on what training gives:
# a model that does not pass its gate leaves the old one, and every prediction, as it is.
checkpoint train:
    output:
        model="results/models/{model}/model.safetensors",
        metrics="results/models/{model}/metrics.json",
        card="results/models/{model}/model_card.md",
    log:
        "logs/train/{model}.log",
    conda:
        "../../envs/phenopipe.yaml"
    threads: ALL_CORES
    resources:
        gpu=lambda wildcards: gpus(CONFIG.models[wildcards.model].train),
    params:
        settings=lambda wildcards: CONFIG.models[wildcards.model].model_dump(
            mode="json", exclude={"train": RUN_ONLY}
        ),
        start_sha256=start_sha256,
        labels_sha256=labels_sha256,
        soils_sha256=soils_sha256,
    message:
        "train: model {wildcards.model}"
    script:
        "../scripts/train.py"
