"""The command `phenopipe`: one command per stage, and a few that are only for people.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from phenopipe.cli import stages
from phenopipe.cli.app import app
from phenopipe.cli.clean import clean
from phenopipe.cli.compare import compare
from phenopipe.cli.evaluate import evaluate
from phenopipe.cli.init import init
from phenopipe.cli.measure import measure
from phenopipe.cli.nightly import nightly
from phenopipe.cli.profile import profile
from phenopipe.cli.submission import submission
from phenopipe.cli.sweep import sweep
from phenopipe.cli.verify import verify
from phenopipe.garbage import end_quickly

PEOPLE: tuple[Callable[..., None], ...] = (
    *(init, profile, nightly, verify, clean),
    *(measure, evaluate, sweep, submission),
)
STAGES: tuple[Callable[..., None], ...] = (
    stages.synth,
    stages.plan,
    stages.ingest,
    stages.train,
    stages.predict,
    stages.segment,
    stages.tabulate,
    stages.season,
    stages.report,
    compare,
)

for _command in PEOPLE:
    app.command(rich_help_panel="For people")(_command)
for _command in STAGES:
    app.command(rich_help_panel="Stages, in the order of the data")(_command)


def main() -> None:
    """Run the command line: exit code 0, 1 for wrong files or settings, 2 for a wrong command."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    end_quickly()
    app(prog_name="phenopipe")
