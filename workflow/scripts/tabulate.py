"""Write the tables of one image set."""

from datetime import datetime
from pathlib import Path

from phenopipe.garbage import importing

with importing():
    from phenopipe.config import QualitySettings, check_config
    from phenopipe.logs import stage_log
    from phenopipe.provenance import table_facts
    from phenopipe.store_attributes import read_attribute
    from phenopipe.tabulate import Provenance, tabulate_set

started = datetime.now().astimezone()
with stage_log(snakemake.log[0]):
    predictions, analysis = snakemake.input.predictions, snakemake.wildcards.analysis
    tabulate_set(
        plan=snakemake.input.plan,
        crops=snakemake.input.crops,
        measurements=snakemake.input.measurements,
        plants_sheet=snakemake.input.plants_sheet or None,
        quality=QualitySettings(**snakemake.params.quality),
        provenance=Provenance(
            analysis=analysis,
            model=snakemake.params.model,
            # A set without an image has no rows that could name a model's hash.
            model_sha256=read_attribute(predictions[0], "model_sha256", "predictions")
            if predictions
            else "",
        ),
        out=Path(snakemake.output[0]).parent,
        facts=table_facts(
            check_config(snakemake.config), analysis, started, snakemake.wildcards.set, predictions
        ),
    )
