# The tables that people read, and what a run amounts to.
localrules:
    check,


rule tabulate:
    input:
        plan="results/plan/{set}.tsv",
        crops=shards_of("results/crops/{shard}.tsv"),
        predictions=shards_of("results/predictions/{model}/{shard}.zarr"),
        measurements="results/analyses/{analysis}/sets/{set}/measurements.parquet",
        plants_sheet=CONFIG.tabulate.plants_sheet or [],
    output:
        expand(
            "results/analyses/{analysis}/sets/{set}/{table}.{kind}",
            table=["plants", "leaves"],
            kind=["csv", "parquet", "schema.json"],
            allow_missing=True,
        ),
    log:
        "logs/tabulate/{analysis}/{set}.log",
    conda:
        "../../envs/phenopipe.yaml"
    params:
        quality=settings_of("quality"),
        model=model_of,
        # Its content, since a sheet that is put back has its old date.
        plants_sheet_sha256=plants_sheet_sha256,
    message:
        "tabulate: {wildcards.set} by analysis {wildcards.analysis}"
    script:
        "../scripts/tabulate.py"


rule summarize:
    input:
        all_sets_of("results/analyses/{analysis}/sets/{set}/plants.parquet"),
    output:
        "results/analyses/{analysis}/summary.json",
    log:
        "logs/tabulate/{analysis}/summary.log",
    conda:
        "../../envs/phenopipe.yaml"
    message:
        "summarize: analysis {wildcards.analysis}"
    script:
        "../scripts/summarize.py"


rule check:
    input:
        "results/analyses/{analysis}/summary.json",
    output:
        touch("results/analyses/{analysis}/checked"),
    log:
        "logs/tabulate/{analysis}/check.log",
    conda:
        "../../envs/phenopipe.yaml"
    params:
        max_failed_share=CONFIG.run.max_failed_share,
    message:
        "check: failures of analysis {wildcards.analysis}"
    script:
        "../scripts/check.py"
