"""Write the tables of one image set."""

from pathlib import Path

from phenopipe.config import QualitySettings
from phenopipe.logs import stage_log
from phenopipe.store import open_store, read_attribute
from phenopipe.tabulate import Provenance, tabulate_set

with stage_log(snakemake.log[0]):
    predictions = open_store(snakemake.input.predictions[0], "predictions")
    tabulate_set(
        plan=snakemake.input.plan,
        crops=snakemake.input.crops,
        measurements=snakemake.input.measurements,
        plants_sheet=snakemake.input.plants_sheet or None,
        quality=QualitySettings(**snakemake.params.quality),
        provenance=Provenance(
            analysis=snakemake.wildcards.analysis,
            model=snakemake.params.model,
            model_sha256=read_attribute(predictions, "model_sha256"),
        ),
        out=Path(snakemake.output.plants[0]).parent,
    )
