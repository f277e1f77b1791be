"""Find and measure the leaves of one image set."""

# Dask starts worker processes by importing the main module, which this script is.
if __name__ == "__main__":
    from pathlib import Path

    from phenopipe.fork_server import start_fork_server
    from phenopipe.garbage import importing
    from phenopipe.logs import stage_log

    with stage_log(snakemake.log[0]):
        if snakemake.threads > 1:  # the server imports what workers need while this does, too
            start_fork_server()
        with importing():
            from phenopipe.config import SegmentSettings, check_config
            from phenopipe.ingest import borrow_crops
            from phenopipe.own_rows import read_places
            from phenopipe.segment import segment_set

        dask = check_config(snakemake.config).dask
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
                performance_report=Path(snakemake.log[0]).with_suffix(".dask.html")
                if dask.performance_report
                else None,
            )
