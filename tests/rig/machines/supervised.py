"""user data ── a plan for `supervisor` ──> the command and the surroundings of an instance that is not booted."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.rig.machines.kept import CHECKOUT
from tests.rig.machines.layer import endpoint_variables

METRICS_BASE = 9100  # worker NN of an instance has its numbers on 91NN


def command(
    folder: Path,
    user_data: str,
    *,
    endpoints: Mapping[str, str],
    forced: Mapping[str, str],
    metrics_base: int = METRICS_BASE,
) -> list[str]:
    """What PID 1 runs, from the checkout. Writes the plan into the instance's folder."""
    plan = folder / "plan.json"
    given = {  # no keys, nor files that hold some
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
    }
    words = {
        "folder": str(folder),
        "user_data": user_data,
        "python": sys.executable,
        "given": given | endpoint_variables(endpoints),
        # There is no journal of its own to send.
        "forced": {"IRAAS_LOG_GROUP": ""} | dict(forced),
        "metrics_base": metrics_base,
    }
    plan.write_text(json.dumps(words))
    return [sys.executable, "-S", "-m", "tests.rig.machines.supervisor", str(plan)]


ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}  # of the supervisor itself
FOLDER = str(CHECKOUT)
