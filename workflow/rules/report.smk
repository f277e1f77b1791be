# Pages to look at: one for each image set and one for the season.
def made_with(wildcards):
    """Name an analysis's settings for its pages."""
    return CONFIG.analyses[wildcards.analysis].model_dump(mode="json")


rule report:
    input:
        plants=SET_TABLES + "/plants.parquet",
        schema=SET_TABLES + "/plants.schema.json",
        tables=shards_of("results/crops/{set}/{shard}.tsv"),
        crops=shards_of("results/crops/{set}/{shard}.zarr"),
        labels=SET_TABLES + "/labels.zarr",
    output:
        SET_TABLES + "/report.html",
    log:
        "logs/report/{analysis}/{set}.log",
    params:
        settings=CONFIG.report.model_dump(mode="json"),
        made_with=made_with,
    message:
        "report: {wildcards.set} by analysis {wildcards.analysis}"
    script:
        "../scripts/report.py"


rule report_season:
    input:
        multiext(
            ANALYSIS + "/season/",
            plants="plants.parquet",
            growth="growth.parquet",
            tracks="tracks.parquet",
        ),
    output:
        ANALYSIS + "/season/report.html",
    log:
        "logs/report/{analysis}/season.log",
    params:
        settings=CONFIG.report.model_dump(mode="json"),
        made_with=made_with,
    message:
        "report: season by analysis {wildcards.analysis}"
    script:
        "../scripts/report_season.py"


def print_summaries():
    """End a run with what came of it, for every analysis that got that far."""
    from phenopipe.tabulate.run_summary import (
        summary_text,
    )  # pandas: not at every job's start

    for path in expand(ANALYSIS + "/summary.json", analysis=CONFIG.analyses):
        if Path(path).is_file():
            print(f"\n{path}\n{summary_text(path)}", file=sys.stderr)
