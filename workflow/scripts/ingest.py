"""Cut the crops of one shard."""

from phenopipe.garbage import importing

with importing():
    from phenopipe.config import IngestSettings
    from phenopipe.ingest import ingest_shard
    from phenopipe.logs import stage_log
    from phenopipe.threads import limit_threads

with stage_log(snakemake.log[0]):
    limit_threads(1)  # of OpenCV: pictures are decoded side by side
    ingest_shard(
        snakemake.params.roster,
        snakemake.wildcards.shard,
        snakemake.params.image_root,
        snakemake.output.crops,
        snakemake.output.table,
        IngestSettings(**snakemake.params.settings),
        expected_digest=snakemake.params.digest,
        threads=snakemake.threads,
    )
