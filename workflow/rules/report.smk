# Pages to look at: one for each image set and one for the season.
rule report:
    input:
        plants="results/analyses/{analysis}/sets/{set}/plants.parquet",
        schema="results/analyses/{analysis}/sets/{set}/plants.schema.json",
        tables=shards_of("results/crops/{shard}.tsv"),
        crops=shards_of("results/crops/{shard}.zarr"),
        labels="results/analyses/{analysis}/sets/{set}/labels.zarr",
    output:
        "results/analyses/{analysis}/sets/{set}/report.html",
    log:
        "logs/report/{analysis}/{set}.log",
    # The longest of the jobs behind the tables: it starts first.
    priority: 1
    conda:
        "../../envs/phenopipe.yaml"
    params:
        roster="results/plan/{set}.roster.tsv",
        settings=CONFIG.report.model_dump(mode="json"),
        made_with=made_with,
    message:
        "report: {wildcards.set} by analysis {wildcards.analysis}"
    script:
        "../scripts/report.py"


rule report_season:
    input:
        multiext(
            "results/analyses/{analysis}/season/",
            plants="plants.parquet",
            growth="growth.parquet",
            tracks="tracks.parquet",
        ),
    output:
        "results/analyses/{analysis}/season/report.html",
    log:
        "logs/report/{analysis}/season.log",
    conda:
        "../../envs/phenopipe.yaml"
    params:
        settings=CONFIG.report.model_dump(mode="json"),
        made_with=made_with,
    message:
        "report: season by analysis {wildcards.analysis}"
    script:
        "../scripts/report_season.py"
