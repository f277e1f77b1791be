"""Run the command line in this process, as a shell would."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from phenopipe.cli.commands import app


def run(*arguments: object) -> Result:
    """Run a command; an error that is no user's mistake is raised."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run_well(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


def problems(result: Result) -> list[str]:
    """Return the lines of a failed command's standard error that name a problem."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    return [line.removeprefix("error: ") for line in lines]
