"""A small experiment in a folder of its own, run by the real Snakemake."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
import yaml
from snakemake_server import run_snakemake

from phenopipe.config import PlantSettings
from phenopipe.model.weights import save_model
from phenopipe.model.wnet import WNet
from phenopipe.synth import draw_plant

ROOT = Path(__file__).resolve().parents[2]
PLANTS = PlantSettings(min_leaves=4, max_leaves=8, empty_share=0.0)
EMPTY = PlantSettings(empty_share=1.0)

#: 7 and 2 pictures in shards of 3: night_1 has three shards, the last one with a single picture.
PICTURES = {"night_1": 7, "night_2": 2}
CONFIG = {
    "experiment": "small",
    "plan": {
        "image_root": "images",
        "pattern": "{timestamp:%Y%m%d_%H%M%S}_{pot}.png",
        "settle_seconds": 0,
        "shard_size": 3,
    },
    "ingest": {"crop_size": 64},
    "predict": {"network_size": 64},
    "models": {"net": {"weights": "net.safetensors"}},
    "analyses": {"one": {"model": "net"}},
    "tabulate": {"plants_sheet": "plants.csv"},
}


@dataclass(frozen=True)
class Run:
    """What a call of Snakemake gave."""

    code: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """Jobs by rule, as Snakemake's table `Job stats` counts them, without `all` and `total`."""
        table = re.search(r"^Job stats:\n.*\n[- ]+\n((?:\w+ +\d+\n)+)", self.output, re.MULTILINE)
        if table is None:
            assert "Nothing to be done" in self.output, self.output
            return {}
        counts = {rule: int(count) for rule, count in re.findall(r"(\w+) +(\d+)", table[1])}
        return {rule: count for rule, count in counts.items() if rule not in ("all", "total")}

    @property
    def finished(self) -> Counter[str]:
        """Jobs by rule that Snakemake reports as finished."""
        return Counter(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", self.output, re.M))

    @property
    def lines(self) -> list[str]:
        """The lines that are not empty."""
        return [line.strip() for line in self.output.splitlines() if line.strip()]


@dataclass(frozen=True)
class Experiment:
    """A folder with pictures and a configuration."""

    folder: Path
    checkout: Path = ROOT

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def removal(self):
        """Arguments of the command that removes damaged stores."""
        return "verify", self.results, "--remove", "--config", self.folder / "config.yaml"

    def read_config(self):
        return yaml.safe_load((self.folder / "config.yaml").read_text(encoding="utf-8"))

    def configure(self, **changes):
        """Change the configuration; keys are paths with "__" between their parts."""
        config = self.read_config()
        for path, value in changes.items():
            *parents, last = path.split("__")
            block = config
            for parent in parents:
                block = block.setdefault(parent, {})
            block[last] = value
        self.write_config(**config)

    def write_config(self, **config):
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def arguments(self, *more):
        return [
            *("--snakefile", str(self.checkout / "Snakefile")),
            *("--workflow-profile", str(self.checkout / "profiles/default")),
            *("--directory", str(self.folder), "--configfile", str(self.folder / "config.yaml")),
            # One thread a job, so that two run side by side.
            *("--set-threads", "train=1", "predict=1", "segment=1", "--cores", "2", *more),
        ]

    def run(self, *arguments) -> Run:
        """Run Snakemake to its end."""
        return Run(*run_snakemake(self.arguments(*arguments)))

    def start(self, *arguments, **variables) -> subprocess.Popen[str]:
        """Start Snakemake in a session of its own, with further variables of the environment."""
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *self.arguments(*arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=os.environ | variables,
            start_new_session=True,
        )

    def plan(self, *arguments) -> dict[str, int]:
        """Count the jobs that a run would have, by rule."""
        run = self.run("--dry-run", *arguments)
        assert run.code == 0, run.output
        return run.jobs

    def copy(self, folder: Path) -> Experiment:
        """Copy everything, times of files and Snakemake's memory included."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Experiment(folder)

    def fresh(self, folder: Path) -> Experiment:
        """Copy all but what a run made."""
        made = shutil.ignore_patterns("results", "logs", ".snakemake")
        shutil.copytree(self.folder, folder, ignore=made)
        return Experiment(folder)


def draw_picture(path: Path, seed: int = 0, *, empty: bool = False) -> None:
    write_picture(path, draw_plant(seed, EMPTY if empty else PLANTS, 128).rgb)


def write_picture(path: Path, rgb) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", rgb[..., ::-1])[1].tobytes())


def save_tiny_model(path: Path, seed: int = 0) -> None:
    torch.manual_seed(seed)
    save_model(path, WNet("tiny", 4))


def save_blind_model(path: Path) -> None:
    """Save a model that sees no leaf anywhere, so that segmenting takes no time."""
    model = WNet("tiny", 4)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
    save_model(path, model)


def make_experiment(folder: Path) -> Experiment:
    """Make the pictures, the model and the configuration of the small experiment."""
    for night, (image_set, count) in enumerate(PICTURES.items(), start=1):
        for pot in range(1, count + 1):
            name = f"2024030{night}_0{pot}0000_p{pot}.png"
            draw_picture(folder / "images" / image_set / name, seed=10 * night + pot)
    save_tiny_model(folder / "net.safetensors")
    (folder / "plants.csv").write_text("pot,genotype\np1,Col-0\np2,Ler\n", encoding="utf-8")
    experiment = Experiment(folder)
    experiment.write_config(**CONFIG)
    return experiment
