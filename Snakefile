from snakemake.utils import min_version

min_version("9.10")

# A --configfile replaces the demo's configuration instead of being merged into it.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/synth.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/segment.smk"
include: "workflow/rules/tabulate.smk"
include: "workflow/rules/season.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/compare.smk"


rule all:
    default_target: True
    input:
        all_tables,
        all_reports,


onstart:
    RUN_LOCK.sign()
    with error_lines():
        cancel_jobs_left_behind()
        ROSTERS.write()


onsuccess:
    print_summaries()


onerror:
    print_summaries(since=STARTED)
