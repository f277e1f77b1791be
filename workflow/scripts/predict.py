"""Run the network over one shard."""

from phenopipe.garbage import importing

with importing():
    from phenopipe.config import check_config
    from phenopipe.ingest import borrow_crops
    from phenopipe.logs import stage_log
    from phenopipe.predict import predict_shard
    from phenopipe.threads import limit_threads

with stage_log(snakemake.log[0]), borrow_crops([snakemake.input.crops]) as (crops,):
    limit_threads(snakemake.threads)
    predict_shard(
        crops,
        snakemake.input.model,
        snakemake.output[0],
        check_config(snakemake.config).predict,
        table=snakemake.input.table,
    )
