"""The command `phenopipe`.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once, and nothing at
all before `main` does: worker processes import the main module, and with it this one.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line: exit code 0, 1 for wrong files or settings, 2 for a wrong command."""
    import logging
    import sys

    from phenopipe.cli.commands import app
    from phenopipe.garbage import end_quickly

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    end_quickly()
    app(prog_name="phenopipe")
