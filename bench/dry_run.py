"""How long `iraas deploy --dry-run` takes, from the shell and without an account."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.session import Session
from bench.spread import Spread

NAMES = ("dry_run_s",)
COMMAND = "import sys; sys.argv = ['iraas', 'deploy', '--dry-run']; from iraas.cli import main; main()"


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return _times(quick)


def measure(session: Session) -> None:
    """Put the figure of `NAMES`."""
    session.put("dry_run_s", Spread.of(_once(session) for _ in range(_times(session.quick))))


def _once(session: Session) -> float:
    session.step("dry run")
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", COMMAND], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _times(quick: bool) -> int:
    return 1 if quick else 5
