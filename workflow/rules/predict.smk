# The network over crops. The model counts by its content, not by its date.
rule predict:
    input:
        crops="results/crops/{set}/{shard}.zarr",
        table="results/crops/{set}/{shard}.tsv",
        model=ancient(model_file),
    output:
        directory("results/predictions/{model}/{set}/{shard}.zarr"),
    log:
        "logs/predict/{model}/{set}/{shard}.log",
    conda:
        "../../envs/phenopipe.yaml"
    threads: ALL_CORES
    resources:
        gpu=gpus(CONFIG.predict),
    params:
        # Not through `input`: Snakemake forgets parameters that are made from it.
        model_sha256=model_sha256,
        settings=CONFIG.predict.model_dump(
            include={"looks", "network_size", "precision"}
        ),
    message:
        "predict: shard {wildcards.shard} of {wildcards.set} by {wildcards.model}"
    script:
        "../scripts/predict.py"
