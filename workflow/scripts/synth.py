"""Draw one image set of the demo's greenhouse."""

from phenopipe.garbage import importing

with importing():
    from phenopipe.config import SynthSettings
    from phenopipe.logs import stage_log
    from phenopipe.synth import render_set

with stage_log(snakemake.log[0]):
    render_set(
        SynthSettings(**snakemake.params.settings),
        snakemake.wildcards.set,
        snakemake.output.images,
        snakemake.output.truth,
    )
