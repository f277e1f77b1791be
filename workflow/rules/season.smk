# Plants and leaves over time, over all image sets.
rule season:
    input:
        plants=all_sets_of("results/analyses/{analysis}/sets/{set}/plants.parquet"),
        leaves=all_sets_of("results/analyses/{analysis}/sets/{set}/leaves.parquet"),
    output:
        expand(
            "results/analyses/{analysis}/season/{table}.{kind}",
            table=["plants", "leaves", "growth", "tracks"],
            kind=["csv", "parquet", "schema.json"],
            allow_missing=True,
        ),
    log:
        "logs/season/{analysis}.log",
    conda:
        "../../envs/phenopipe.yaml"
    params:
        settings=CONFIG.season.model_dump(mode="json"),
    message:
        "season: analysis {wildcards.analysis}"
    script:
        "../scripts/season.py"
