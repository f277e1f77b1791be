"""Write the tables of one image set."""

from pathlib import Path

from phenopipe.config import QualitySettings
from phenopipe.logs import stage_log
from phenopipe.store import open_store, read_attribute
from phenopipe.tabulate import Provenance, tabulate_set

with stage_log(snakemake.log[0]):
    predictions = snakemake.input.predictions
    tabulate_set(
        plan=snakemake.input.plan,
        crops=snakemake.input.crops,
        measurements=snakemake.input.measurements,
        plants_sheet=snakemake.input.plants_sheet or None,
        quality=QualitySettings(**snakemake.params.quality),
        provenance=Provenance(
            analysis=snakemake.wildcards.analysis,
            model=snakemake.params.model,
            # A set without an image has no rows that could name a model's hash.
            model_sha256=read_attribute(open_store(predictions[0], "predictions"), "model_sha256")
            if predictions
            else "",
        ),
        out=Path(snakemake.output[0]).parent,
    )
