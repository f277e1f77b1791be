# Pictures to crops. The plan is no input on purpose: a shard runs again when its own digest changes.
# A shard that several small image sets share has a name of its own in place of a set's.
rule ingest:
    input:
        pictures=drawn_pictures if CONFIG.synth else [],
    output:
        crops=directory("results/crops/{set}/{shard}.zarr"),
        table="results/crops/{set}/{shard}.tsv",
    log:
        "logs/ingest/{set}/{shard}.log",
    conda:
        "../../envs/phenopipe.yaml"
    threads: min(2, ALL_CORES)
    params:
        roster="results/plan/{set}.roster.tsv",
        digest=lambda wildcards: ROSTERS.shard_digest(wildcards.set, wildcards.shard),
        image_root=lambda wildcards: CONFIG.plan.image_root,
        # Without other cameras: one that is added cuts no crop of another again.
        settings=lambda wildcards: CONFIG.ingest.of_cameras(
            ROSTERS.shard_cameras(wildcards.set, wildcards.shard)
        ).model_dump(mode="json"),
    message:
        "ingest: shard {wildcards.shard} of {wildcards.set}"
    script:
        "../scripts/ingest.py"
