"""Time a changed threshold against a full run of the workflow, and print the figures as JSON.

A season of drawn plants (crops of 512 px, the default model) goes through the real workflow.
`predict` runs over a sample of the pictures and its time is extrapolated; its stores are then
copied for the other shards, which hold the same pictures again. Everything else is run in full.
Then `seed_threshold` changes: a dry run counts the jobs, and segment and tabulate are timed.

    python benchmarks/rethreshold.py --crops 2000 --sample 200 --network-size 512

Nothing runs on a GPU that this machine does not have.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import yaml
from cpu_time import adopt_orphans, children_cpu_s
from snakemake_runs import NO_CLUSTER, count_jobs

from phenopipe.config import PlantSettings, PredictSettings
from phenopipe.synth import draw_plant

ROOT = Path(__file__).resolve().parents[1]
SIZE = 512
SET = "night"


class Season:
    """An experiment's folder, and Snakemake runs in it."""

    def __init__(self, folder: Path, cores: int, network_size: int) -> None:
        self.folder, self.cores, self.network_size = folder, cores, network_size
        self.shards: list[str] = []

    def write(self, crops: int, sample: int, distinct: int) -> None:
        """Draw pictures, the same again in each shard of `sample`, and write the configuration."""
        images = self.folder / "images" / SET
        images.mkdir(parents=True)
        drawn = [draw_plant(seed, PlantSettings(), SIZE).rgb for seed in range(distinct)]
        encoded = [cv2.imencode(".jpg", rgb[..., ::-1])[1].tobytes() for rgb in drawn]
        for number in range(crops):
            (images / f"p{number:06d}.jpg").write_bytes(encoded[number % sample % distinct])
        self.shards = [f"{number:04d}" for number in range(-(-crops // sample))]
        self.configure({})

    def configure(self, segment: dict[str, float]) -> None:
        """Write the configuration."""
        sample = len(list((self.folder / "images" / SET).iterdir())) // max(len(self.shards), 1)
        config = {
            "plan": {"image_root": "images", "settle_seconds": 0, "shard_size": sample},
            "ingest": {"crop_size": SIZE},
            "predict": {"network_size": self.network_size},
            "analyses": {"default": {"segment": segment}},
        }
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))

    def run(self, *arguments: str) -> tuple[float, float, str]:
        """Run Snakemake; return wall and CPU seconds, and what it printed."""
        command = [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--workflow-profile", str(ROOT / "profiles/default")),
            *("--directory", str(self.folder), "--configfile", str(self.folder / "config.yaml")),
            *("--cores", str(self.cores), *arguments),
        ]
        os.sync()  # what was written before, copies among it, is not this run's to wait for
        before, start = children_cpu_s(), time.perf_counter()
        environment = os.environ | NO_CLUSTER
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        wall = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return wall, children_cpu_s() - before, done.stdout + done.stderr

    def results(self, pattern: str) -> list[str]:
        """Name a result of every shard."""
        return [f"results/{pattern}/{SET}/{shard}.zarr" for shard in self.shards]

    def copy_predictions(self) -> None:
        """Give the other shards the first one's predictions: they hold the same pictures."""
        first, *others = (self.folder / path for path in self.results("predictions/default"))
        for other in others:
            shutil.copytree(first, other)


def tables() -> list[str]:
    """Name what segment and tabulate make."""
    folder = f"results/analyses/default/sets/{SET}"
    return [f"{folder}/plants.csv", f"{folder}/leaves.csv"]


def measure(season: Season, crops: int, sample: int) -> dict[str, object]:
    """Run everything once, change a threshold, and run what follows."""
    ingest = season.run(*season.results("crops"))
    first = season.run(season.results("predictions/default")[0])
    season.copy_predictions()
    season.run("--touch", *season.results("predictions/default"))
    segment = season.run(*tables())
    if jobs := count_jobs(season.run("--dry-run", *tables())[2]):
        raise SystemExit(f"the first run left jobs: {jobs}")
    start = season.run(*tables())
    season.configure({"seed_threshold": 0.5})
    planned = count_jobs(season.run("--dry-run")[2])
    again = season.run(*tables())
    factor = crops / sample
    # A full run starts Snakemake once; here it started for each part.
    full = [ingest[n] + factor * first[n] + segment[n] - (factor + 1) * start[n] for n in (0, 1)]
    return {
        "jobs_of_a_changed_threshold": planned,
        "predict_jobs": planned.get("predict", 0),
        "full_run": {
            "wall_s": round(full[0], 1),
            "cpu_s": round(full[1], 1),
            "predict": f"extrapolated from {sample} of {crops} crops, {factor:g} times",
            "parts_wall_s": {
                "start": round(start[0], 1),
                "ingest": round(ingest[0] - start[0], 1),
                "predict": round(factor * (first[0] - start[0]), 1),
                "segment_and_tabulate": round(segment[0] - start[0], 1),
            },
        },
        "rethreshold": {"wall_s": round(again[0], 1), "cpu_s": round(again[1], 1)},
        "ratio": round(full[0] / again[0], 1),
        "ratio_of_cpu": round(full[1] / again[1], 1),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", type=int, default=2000)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--distinct", type=int, default=50, help="different plants that are drawn")
    parser.add_argument(
        "--network-size",
        type=int,
        default=PredictSettings().network_size,
        help="side at which the network sees a crop, and of what is stored, px",
    )
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    if options.crops % options.sample:
        parser.error("--crops must be a multiple of --sample: shards are equal")
    adopt_orphans()
    with tempfile.TemporaryDirectory() as name:
        season = Season(Path(name), options.cores, options.network_size)
        season.write(options.crops, options.sample, options.distinct)
        results = measure(season, options.crops, options.sample)
    about = {"size": SIZE, "cores": options.cores, "machine": platform.machine()}
    print(json.dumps({**vars(options), **about, **results}, indent=2))


if __name__ == "__main__":
    main()
