"""Train one model, and publish it or its predecessor."""

from pathlib import Path

from phenopipe.config import check_config
from phenopipe.logs import stage_log
from phenopipe.threads import limit_threads
from phenopipe.train import train_model

# The processes that draw pictures start by importing the main module, which this script is.
if __name__ == "__main__":
    with stage_log(snakemake.log[0]):
        limit_threads(snakemake.threads)
        name = snakemake.wildcards.model
        settings = check_config(snakemake.config).models[name]
        train_model(name, settings, Path(snakemake.output.model).parent)
