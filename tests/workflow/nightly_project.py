"""A project as `phenopipe init` leaves it, and its nightly runs as real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

import yaml
from experiment import Experiment, Run

from phenopipe.project import CHECKOUT, SNAKEFILE

#: One thread a job; two run side by side.
OPTIONS = ["--set-threads", "predict=1", "segment=1", "--cores", "2"]
COMMAND = [sys.executable, "-c", "from phenopipe.cli import main; main()"]


@dataclass(frozen=True)
class Project(Experiment):
    """A project's folder: Snakefile, profile and config/config.yaml are in it."""

    def read_config(self):
        return yaml.safe_load((self.folder / "config/config.yaml").read_text(encoding="utf-8"))

    def write_config(self, **config):
        path = self.folder / "config/config.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(config), encoding="utf-8")

    def start_night(self, *options: str, **variables: str) -> subprocess.Popen[str]:
        """Start `phenopipe nightly` in a session of its own."""
        return self.start_command("nightly", *options, **variables)

    def night(self, *options: str) -> Run:
        """Run `phenopipe nightly` to its end."""
        return self.command("nightly", *options)

    def command(self, *arguments: str) -> Run:
        """Run a command of phenopipe in the project's folder."""
        process = self.start_command(*arguments)
        output = process.communicate(timeout=300)[0]
        return Run(process.returncode, output)

    def start_command(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=os.environ | variables,
            start_new_session=True,
        )

    def arguments(self, *more: str) -> list[str]:
        """Return the options of a Snakemake that is called from elsewhere."""
        return [
            *("--snakefile", str(self.folder / "Snakefile"), "--directory", str(self.folder)),
            *("--workflow-profile", str(self.folder / "profiles/default"), *OPTIONS, *more),
        ]

    @property
    def summary(self):
        """The summary of the last night."""
        return json.loads((self.folder / "results/nightly/latest.json").read_text())

    @property
    def snakemake_log(self) -> Run:
        """What Snakemake said in the last night."""
        told = (self.folder / self.summary["log"]).read_text(encoding="utf-8")
        return Run(self.summary["snakemake_exit_code"], told)


def as_project(experiment: Experiment, **nightly: object) -> Project:
    """Give an experiment what a project has; its results stay as good as they are."""
    project = Project(experiment.folder)
    place = json.dumps(str(CHECKOUT / "Snakefile"))
    (project.folder / "Snakefile").write_text(SNAKEFILE.format(place=place))
    profile = project.folder / "profiles/default/config.yaml"
    profile.parent.mkdir(parents=True)
    profile.write_bytes((CHECKOUT / "profiles/default/config.yaml").read_bytes())
    plain = {"settle_minutes": 0, "min_free_gb": 0, "snakemake": OPTIONS}
    project.write_config(**experiment.read_config(), nightly=plain | nightly)
    return project


def forget(project: Project, image_set: str) -> None:
    """Remove all that was made of an image set."""
    results = project.results
    for folder in ("crops", "predictions/net", "analyses/one/sets"):
        shutil.rmtree(results / folder / image_set)
    (results / f"plan/{image_set}.tsv").unlink()


def tables(project: Experiment) -> dict[str, bytes]:
    """Return the content of every table of people, by path."""
    folder = project.results / "analyses"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.csv")}
