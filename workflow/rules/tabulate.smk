# The tables that people read, and what a run amounts to.
rule tabulate:
    input:
        plan="results/plan/{set}.tsv",
        crops=shards_of("results/crops/{set}/{shard}.tsv"),
        predictions=shards_of("results/predictions/{model}/{set}/{shard}.zarr"),
        measurements=SET_TABLES + "/measurements.parquet",
        plants_sheet=CONFIG.tabulate.plants_sheet or [],
    output:
        plants=multiext(SET_TABLES + "/plants", ".csv", ".parquet", ".schema.json"),
        leaves=multiext(SET_TABLES + "/leaves", ".csv", ".parquet", ".schema.json"),
    log:
        "logs/tabulate/{analysis}/{set}.log",
    params:
        quality=lambda wildcards: CONFIG.analyses[
            wildcards.analysis
        ].quality.model_dump(mode="json"),
        model=model_of,
    message:
        "tabulate: {wildcards.set} by analysis {wildcards.analysis}"
    script:
        "../scripts/tabulate.py"


rule summarize:
    input:
        lambda wildcards: expand(
            SET_TABLES + "/plants.parquet", set=ROSTERS, analysis=wildcards.analysis
        ),
    output:
        ANALYSIS + "/summary.json",
    log:
        "logs/tabulate/{analysis}/summary.log",
    message:
        "summarize: analysis {wildcards.analysis}"
    script:
        "../scripts/summarize.py"


rule check:
    input:
        ANALYSIS + "/summary.json",
    output:
        touch(ANALYSIS + "/checked"),
    log:
        "logs/tabulate/{analysis}/check.log",
    params:
        max_failed_share=CONFIG.run.max_failed_share,
    message:
        "check: failures of analysis {wildcards.analysis}"
    script:
        "../scripts/check.py"
