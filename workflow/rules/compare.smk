# What changed from one analysis to another, plant by plant.
rule compare:
    input:
        plants=both_of("results/analyses/{analysis}/sets/{set}/plants.parquet"),
        labels=both_of("results/analyses/{analysis}/sets/{set}/labels.zarr"),
        crops=all_crops,
    output:
        multiext(
            "results/comparisons/{a}/{b}/",
            "changes.csv",
            "changes.parquet",
            "changes.schema.json",
            "summary.csv",
            "summary.parquet",
            "summary.schema.json",
            "report.html",
        ),
    log:
        "logs/compare/{a}/{b}.log",
    conda:
        "../../envs/phenopipe.yaml"
    params:
        sets=lambda wildcards: list(ROSTERS),
        settings=CONFIG.compare.model_dump(mode="json", include={"pictures", "rows"}),
        made_with=both_made_with,
    message:
        "compare: analysis {wildcards.a} with {wildcards.b}"
    script:
        "../scripts/compare.py"
