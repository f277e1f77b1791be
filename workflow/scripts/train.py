"""Train one model, and publish it or its predecessor."""

import sys
from pathlib import Path

from phenopipe.garbage import importing

with importing():
    from phenopipe.config import check_config
    from phenopipe.logs import stage_log
    from phenopipe.model.rejection import rejection
    from phenopipe.threads import limit_threads
    from phenopipe.train import train_model

# The processes that draw pictures, and those of further devices, start by importing the main
# module, which this script is. SIGTERM and SIGUSR1 let it write a checkpoint and end with an error.
if __name__ == "__main__":
    with stage_log(snakemake.log[0]):
        limit_threads(snakemake.threads)
        name = snakemake.wildcards.model
        settings = check_config(snakemake.config).models[name]
        folder = Path(snakemake.output.model).parent
        train_model(name, settings, folder)
        if told := rejection(folder):
            print(told, file=sys.stderr)
