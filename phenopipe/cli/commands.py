"""All commands: one per stage, and a few that are only for people."""

from __future__ import annotations

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

__all__ = ["PEOPLE", "STAGES", "app"]

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
