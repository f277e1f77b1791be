# Which file is in which shard. The main process makes the rosters from names and times when it
# reads this file; jobs read what it wrote and never list image folders (docs/architecture.md).
from phenopipe.plan.rosters import Rosters

ROSTERS = Rosters(CONFIG, "results/plan", scan=workflow.is_main_process)


def shards_of(pattern):
    """Make an input function that fills a pattern with a set's shards."""
    return lambda wildcards: expand(
        pattern,
        shard=ROSTERS[wildcards.set].shards,
        set=wildcards.set,
        model=model_of(wildcards),
    )


localrules:
    plan,


rule plan:
    output:
        "results/plan/{set}.tsv",
    log:
        "logs/plan/{set}.log",
    params:
        roster="results/plan/{set}.roster.tsv",
        digest=lambda wildcards: ROSTERS[wildcards.set].digest,
        experiment=CONFIG.experiment,
    message:
        "plan: image set {wildcards.set}"
    script:
        "../scripts/plan.py"
