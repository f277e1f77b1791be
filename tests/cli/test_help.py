"""Help answers at once and says how; a wrong command line is one clear line, exit code 2."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from cli_runs import problems, run, run_well

import phenopipe
from phenopipe.cli.commands import PEOPLE, STAGES, app

COMMANDS = [command.__name__ for command in (*PEOPLE, *STAGES)]
#: Each takes from a tenth of a second to several to import.
HEAVY = ("torch", "dask", "distributed", "zarr", "pandas", "cv2", "numpy", "scipy", "skimage")
LOADED = """
import sys
from phenopipe.cli.commands import app
try:
    app(sys.argv[1:])
finally:
    print(",".join(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["measure", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = done.stderr.splitlines()[-1].split(",")
    assert "phenopipe.cli" in loaded
    assert not {name for name in HEAVY if name in loaded}
    assert done.stdout


def test_help_shows_every_command_in_the_order_of_the_data() -> None:
    shown = run_well("--help").stdout
    places = [shown.index(f"│ {name} ") for name in COMMANDS]
    assert places == sorted(places)
    stages = ["plan", "ingest", "train", "predict", "segment", "tabulate", "season", "report"]
    assert [name for name in COMMANDS if name in stages] == stages


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_that_parses(name: str, monkeypatch) -> None:
    shown = " ".join(run_well(name, "--help").stdout.split())
    example = shown.split(f"Example: phenopipe {name} ")[1].split(" ╭")[0]
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    with command.make_context(name, example.split()) as context:
        assert context.params


def test_no_command_shows_help() -> None:
    result = run()
    assert result.exit_code == 2
    assert "Stages, in the order of the data" in result.stdout
    assert not result.stderr


def test_version() -> None:
    assert run_well("--version").stdout == f"{phenopipe.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mesure"], "No such command 'mesure'"),
        (["--bogus"], "No such option: --bogus"),
        (["measure", "a.png"], "Missing option '--out' / '-o'"),
        (["measure", "--out", "o"], "Missing argument 'IMAGE"),
        (["measure", "a.png", "--out", "o", "--mm-per-px", "wide"], "'--mm-per-px'"),
        (["segment", "--workers", "0"], "'--workers'"),
        (["plan", "surplus"], "unexpected extra argument"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert line.endswith("--help)")
    assert len(problems(result)) == 1


def test_a_worker_that_imports_the_main_module_imports_no_command():
    code = "from phenopipe.cli import main; import sys; print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
