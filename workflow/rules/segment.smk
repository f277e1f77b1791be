# Leaves from predictions: one job an image set, parallel inside.
rule segment:
    input:
        tables=shards_of("results/crops/{shard}.tsv"),
        crops=shards_of("results/crops/{shard}.zarr"),
        predictions=shards_of("results/predictions/{model}/{shard}.zarr"),
    output:
        labels=directory("results/analyses/{analysis}/sets/{set}/labels.zarr"),
        measurements="results/analyses/{analysis}/sets/{set}/measurements.parquet",
    log:
        "logs/segment/{analysis}/{set}.log",
    conda:
        "../../envs/phenopipe.yaml"
    threads: cores_for
    params:
        roster="results/plan/{set}.roster.tsv",
        # Of a joint shard only the set's own crops count: others may come and go.
        own=lambda wildcards: ROSTERS[wildcards.set].joint_digests,
        settings=settings_of("segment"),
    message:
        "segment: {wildcards.set} by analysis {wildcards.analysis}, cores: {threads}"
    script:
        "../scripts/segment.py"
