"""What every rule and script has, read from their text."""

from __future__ import annotations

import re
import subprocess
import sys

import psutil
import pytest
import yaml
import yte
from experiment import ROOT

RULE_FILES = sorted((ROOT / "workflow/rules").glob("*.smk"))
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
STAGES = [
    "plan",
    "ingest",
    "train",
    "predict",
    "segment",
    "tabulate",
    "season",
    "report",
    "compare",
]


def rules():
    """Name and lines of each rule; a rule ends where a line is not indented."""
    for path in RULE_FILES:
        found = re.finditer(
            r"^(?:rule|checkpoint) (\w+):\n((?: +.*\n|\n(?= ))+)", path.read_text(), re.MULTILINE
        )
        yield from ((match[1], match[0].rstrip().splitlines()) for match in found)


RULES = dict(rules())


def test_every_stage_has_its_rule_file_and_script():
    assert {path.stem for path in RULE_FILES} == {*STAGES, "common", "synth"}
    assert set(STAGES) <= {path.stem for path in SCRIPTS}
    assert set(STAGES) <= set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_short_and_says_what_it_does(name):
    lines = RULES[name]
    directives = {line.strip().split(":")[0] for line in lines if re.match(r" {4}\w+:", line)}
    assert len(lines) <= 30
    assert {"output", "log", "message", "conda", "script"} <= directives
    assert "shell" not in directives
    assert "run" not in directives


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_only_unpacks(script):
    text = script.read_text()
    assert len(text.splitlines()) < 40
    assert re.search(r"with stage_log\(snakemake\.log\[0\]\)(, .*)?:$", text, re.MULTILINE)
    assert "def " not in text


def test_the_profile_gives_resources_to_rules_that_exist():
    profile = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    local = {"plan", "check"}
    assert set(profile["set-resources"]) == set(RULES) - local
    assert all({"mem_mb", "runtime"} <= set(own) for own in profile["set-resources"].values())
    assert "default-resources" not in profile, "a cluster's would not count beside them"
    assert profile["rerun-incomplete"]
    assert profile["keep-going"]


@pytest.mark.workflow
def test_snakemake_has_nothing_to_remark(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--lint", "--snakefile", str(ROOT / "Snakefile")),
            *("--configfile", str(ROOT / "config/config.yaml"), "--directory", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.workflow
def test_the_profile_of_a_workstation_promises_what_the_machine_has(raw):
    place = ROOT / "profiles/local"
    profile = yte.process_yaml((place / "config.yaml").read_text(), require_use_yte=True)
    assert profile["resources"]["gpu"] == 1
    memory = psutil.virtual_memory().total / 1e6
    assert 0.8 * memory < profile["resources"]["mem_mb"] <= memory
    run = raw.run("--profile", str(place), "--dry-run")
    assert (run.code, run.jobs["predict"]) == (0, 4), run.output
