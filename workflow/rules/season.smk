# Plants and leaves over time, over all image sets.
rule season:
    input:
        plants=lambda wildcards: expand(
            SET_TABLES + "/plants.parquet", set=ROSTERS, analysis=wildcards.analysis
        ),
        leaves=lambda wildcards: expand(
            SET_TABLES + "/leaves.parquet", set=ROSTERS, analysis=wildcards.analysis
        ),
    output:
        expand(
            ANALYSIS + "/season/{table}.{kind}",
            table=["plants", "leaves", "growth", "tracks"],
            kind=["csv", "parquet", "schema.json"],
            allow_missing=True,
        ),
    log:
        "logs/season/{analysis}.log",
    benchmark:
        "logs/season/{analysis}.benchmark.tsv"
    params:
        settings=CONFIG.season.model_dump(mode="json"),
    message:
        "season: analysis {wildcards.analysis}"
    script:
        "../scripts/season.py"
