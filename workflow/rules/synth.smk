# Demo only: a greenhouse that is drawn, with the true labels beside it.
rule synth:
    output:
        images=directory("results/synth/images/{set}"),
        truth=directory("results/synth/truth/{set}"),
    log:
        "logs/synth/{set}.log",
    conda:
        "../../envs/phenopipe.yaml"
    params:
        settings=CONFIG.synth and CONFIG.synth.model_dump(mode="json"),
    message:
        "synth: draw image set {wildcards.set}"
    script:
        "../scripts/synth.py"
