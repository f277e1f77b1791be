# Which file is in which shard; written from the roster that the main process made.
localrules:
    plan,


rule plan:
    output:
        "results/plan/{set}.tsv",
    log:
        "logs/plan/{set}.log",
    conda:
        "../../envs/phenopipe.yaml"
    params:
        roster="results/plan/{set}.roster.tsv",
        digest=lambda wildcards: ROSTERS[wildcards.set].digest,
    message:
        "plan: image set {wildcards.set}"
    script:
        "../scripts/plan.py"
