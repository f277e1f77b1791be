"""What `phenopipe profile slurm` finds out, with scripts that play SLURM's commands."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from phenopipe.cli.commands import app
from phenopipe.cluster import ask as ask_module
from phenopipe.cluster.profile import Site, detect_site, render_profile
from phenopipe.cluster.site import choose_partitions, find_partitions, parse_minutes
from phenopipe.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SINFO = """\
standard|standard*|up|1-00:00:00|64|256000|(null)
standard|standard*|up|1-00:00:00|128|512000|(null)
accelerated|accelerated|up|2-00:00:00|76|500000|gpu:a100:4(S:0-1)
accelerated|accelerated|up|2-00:00:00|76|500000|gpu:h100:2(S:0),tmp:1
large|large|up|infinite|80|4000000|(null)
old|old|down|infinite|8|16000|gpu:2
"""
CONFIG = "MessageTimeout = 10 sec\nMinJobAge               = 300 sec\n"


class Commands:
    """A folder of scripts that stands in front of PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def play(self, name: str, says: str = "", code: int = 0, seconds: float = 0) -> None:
        text = f"#!/bin/sh\nexec 3>&1\nsleep {seconds}\ncat <<'END'\n{says}END\nexit {code}\n"
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """A cluster with accounting; a test changes what a command says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    played = Commands(folder)
    played.play("sinfo", SINFO)
    played.play("scontrol", CONFIG)
    played.play("sacct", "")
    played.play("sacctmgr", "plants\n")
    return played


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("1-02:30:00", 1590),
        ("12:00:00", 720),
        ("30:00", 30),
        ("infinite", None),
        ("n/a", None),
        ("7-00:00:00", 10080),
    ],
)
def test_limits_of_time(text: str, minutes: int | None) -> None:
    assert parse_minutes(text) == minutes


def test_a_partition_is_as_large_as_its_largest_node(commands: Commands) -> None:
    standard, accelerated, large = find_partitions()
    assert (standard.default, standard.threads, standard.mem_mb) == (True, 128, 512000)
    assert (accelerated.gpus, accelerated.gpu_models) == (4, ("a100", "h100"))
    assert (standard.max_runtime, large.max_runtime) == (1440, None)


def test_the_default_partition_and_those_with_gpus_are_taken(commands: Commands) -> None:
    found = find_partitions()
    assert [one.name for one in choose_partitions(found)] == ["standard", "accelerated"]
    assert [one.name for one in choose_partitions(found, ["large"])] == ["large"]
    assert [one.name for one in choose_partitions(found[1:])] == ["accelerated"]


def test_all_is_detected(commands: Commands) -> None:
    site = detect_site()
    assert (site.account, site.status_command, site.scratch) == ("plants", "sacct", None)
    assert site.threads == 4


def test_a_cluster_without_accounting(commands: Commands) -> None:
    commands.play("sacct", "Slurm accounting storage is disabled\n", code=1)
    commands.play("sacctmgr", code=1)
    commands.play("scontrol", "MinJobAge               = 12 sec\n")
    site = detect_site()
    assert (site.account, site.status_command, site.poll_seconds) == (None, "squeue", 4)


def test_a_command_that_hangs_is_not_waited_for(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_module, "PATIENCE_S", 0.3)
    commands.play("sacct", seconds=60)
    begin = time.monotonic()
    assert detect_site().status_command == "squeue"
    assert time.monotonic() - begin < 30


def test_all_problems_are_told_at_once(commands: Commands) -> None:
    commands.play("sacctmgr", code=1)
    with pytest.raises(InputError) as caught:
        detect_site(account="plants", partitions=["gpus", "standard"], scratch="/no/where")
    partition, account, scratch = caught.value.problems
    assert partition == "partition 'gpus': is not there, only standard, accelerated, large"
    assert account.startswith("account 'plants': sacctmgr knows no accounts here")
    assert scratch == "/no/where: is no folder, but was given as scratch"


def test_without_slurm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="sinfo: does not answer here; run this where jobs are"):
        detect_site()


def test_the_profile_of_a_clone_is_what_would_be_written() -> None:
    for name, text in render_profile(Site()).items():
        assert (ROOT / "profiles/slurm" / name).read_text() == text
    assert (ROOT / "slurm").readlink() == Path("profiles/slurm")


def test_the_command_writes_where_snakemake_looks(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scratch = "/scratch/$USER/it's"
    arguments = ["profile", "slurm", "--scratch", scratch, "--jobs", "7"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "partition accelerated: 76 CPUs, 500000 MB and 4 GPUs a node, 2880 min" in result.stdout
    assert "  snakemake --profile slurm\n" in result.stdout
    folder = tmp_path / "settings/snakemake/slurm"
    profile = yaml.safe_load((folder / "config.yaml").read_text())
    assert profile["jobs"] == 7
    assert profile["slurm-status-command"] == "sacct"
    assert profile["slurm-partition-config"] == str(folder / "partitions.yaml")
    resources = profile["default-resources"]
    assert eval(resources["slurm_account"]) == "plants"
    assert eval(resources["tmpdir"]) == scratch
    partitions = yaml.safe_load((folder / "partitions.yaml").read_text())["partitions"]
    assert partitions["standard"] == {
        "max_runtime": 1440,
        "max_threads": 128,
        "max_mem_mb": 512000,
    }
    assert partitions["accelerated"]["available_gpu_models"] == ["a100", "h100"]

    (tmp_path / "slurm").mkdir()
    here = CliRunner().invoke(app, [*arguments, "--replace"])
    assert f"snakemake --profile {folder}" in here.stdout

    again = CliRunner().invoke(app, ["profile", "slurm"])
    assert again.exit_code == 1
    assert "has a profile already; --replace it, or choose --out" in again.stderr
    assert CliRunner().invoke(app, ["profile", "slurm", "--replace"]).exit_code == 0
