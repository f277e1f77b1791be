"""The command `phenopipe`: one command per stage, and `measure` and `init` for people.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import logging
import sys

from phenopipe.cli.app import app
from phenopipe.cli.init import init
from phenopipe.cli.measure import measure
from phenopipe.cli.stages import (
    ingest,
    plan,
    predict,
    report,
    season,
    segment,
    synth,
    tabulate,
    train,
)
from phenopipe.errors import PhenopipeError

PEOPLE = "For people"
STAGES = "Stages, in the order of the data"

for _command in (init, measure):
    app.command(rich_help_panel=PEOPLE)(_command)
for _command in (synth, plan, ingest, train, predict, segment, tabulate, season, report):
    app.command(rich_help_panel=STAGES)(_command)


def main() -> None:
    """Run the command line; an error of the user's is one line for each problem, exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app(prog_name="phenopipe")
    except PhenopipeError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        sys.exit(1)
