"""Find and measure the leaves of one image set."""

from pathlib import Path

from phenopipe.config import SegmentSettings, check_config
from phenopipe.ingest import borrow_crops
from phenopipe.logs import stage_log
from phenopipe.own_rows import read_places
from phenopipe.segment import segment_set

# Dask starts worker processes by importing the main module, which this script is.
if __name__ == "__main__":
    with stage_log(snakemake.log[0]):
        dask, log = check_config(snakemake.config).dask, Path(snakemake.log[0])
        places = read_places(snakemake.params.roster, snakemake.input.tables)
        with borrow_crops(snakemake.input.crops, places) as crops:
            segment_set(
                list(zip(snakemake.input.tables, crops, strict=True)),
                list(snakemake.input.predictions),
                snakemake.output.labels,
                snakemake.output.measurements,
                places=places,
                settings=SegmentSettings(**snakemake.params.settings),
                dask=dask,
                workers=snakemake.threads,
                performance_report=log.with_suffix(".dask.html")
                if dask.performance_report
                else None,
            )
