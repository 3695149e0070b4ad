"""What is left when the process that runs the rig is killed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import psutil
import pytest
from tests.integration.rig.machine_case import cgroups_of, left
from tests.rig.machines.choose import cannot_boot, cannot_separate
from tests.waiting import until

SCRIPT = "tests.integration.rig.machine_script"


@pytest.mark.parametrize("kind", ["booted", "namespaces", "processes"])
async def test_a_rig_that_is_killed_leaves_nothing(kind: str, tmp_path: Path) -> None:
    """Promise 5: kill -9 of the rig ends its instances, with their processes, cgroups and folders."""
    why_not = {"booted": cannot_boot, "namespaces": cannot_separate}
    reason = await why_not[kind]() if kind in why_not else ""
    if reason:
        pytest.skip(f"no instances of kind {kind} here: {reason}")
    _kill_a_rig(kind, tmp_path)


def _kill_a_rig(kind: str, folder: Path) -> None:
    before = left()
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": str(folder)}
    command = [sys.executable, "-m", SCRIPT, kind]
    with Popen(command, stdout=PIPE, env=environment, cwd=Path(__file__).parents[3]) as rig:
        assert rig.stdout is not None
        running = [psutil.Process(pid) for pid in json.loads(rig.stdout.readline())]
        assert list(folder.iterdir())
        assert bool(cgroups_of(rig.pid)) == (kind == "booted")
        rig.kill()

    until(lambda: not any(each.is_running() for each in running), what="the instance's end")
    until(lambda: not list(folder.iterdir()), what="the end of the rig's folder")
    until(lambda: not cgroups_of(rig.pid), what="the end of its cgroups")
    assert left() == before
