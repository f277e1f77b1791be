"""Run Snakemake in forks of a process that imported it once: most of a dry-run is imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

TIMEOUT_S = 900


def run_snakemake(arguments) -> tuple[int, str]:
    """Run Snakemake with these arguments to its end; returns exit code and output."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as output:
        server = _start()
        print(json.dumps([*arguments, output.name]), file=server.stdin, flush=True)
        code = int(server.stdout.readline())
        return code, Path(output.name).read_text(encoding="utf-8")


@cache
def _start() -> subprocess.Popen[str]:
    """Start the server; it ends when this process closes its input."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, __file__], encoding="utf-8", **pipes)


def serve() -> None:
    """Answer each line of arguments with an exit code."""
    for line in sys.stdin:
        *arguments, output = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(arguments, output)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(arguments, output) -> None:
    """Become a process of Snakemake's that writes to a file."""
    signal.alarm(TIMEOUT_S)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(output, os.O_WRONLY | os.O_TRUNC), 1)
    os.dup2(1, 2)
    sys.argv = ["snakemake", *arguments]
    code = 1
    try:
        snakemake.cli.main(arguments)
    except SystemExit as exit:
        code = exit.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    import snakemake.cli

    import phenopipe.inputs
    import phenopipe.logs
    import phenopipe.run_lock
    import phenopipe.run_summary
    import phenopipe.tabulate.sheet  # noqa: F401 - all that the Snakefile imports

    serve()
