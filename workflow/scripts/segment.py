"""Find and measure the leaves of one image set."""

from phenopipe.config import SegmentSettings, check_config
from phenopipe.ingest import borrow_crops
from phenopipe.logs import stage_log
from phenopipe.segment import segment_set
from phenopipe.threads import limit_threads

# Dask starts worker processes by importing the main module, which this script is.
if __name__ == "__main__":
    with stage_log(snakemake.log[0]), borrow_crops(snakemake.input.crops) as crops:
        limit_threads(1)  # for each of Dask's workers
        segment_set(
            list(zip(snakemake.input.tables, crops, strict=True)),
            list(snakemake.input.predictions),
            snakemake.output.labels,
            snakemake.output.measurements,
            settings=SegmentSettings(**snakemake.params.settings),
            dask=check_config(snakemake.config).dask,
            workers=snakemake.threads,
        )
