"""A folder that iraas was installed in -> what systemd-analyze says about its units, for those tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from subprocess import PIPE, STDOUT

from tests.conftest import missing

UNITS = Path(__file__).parents[1] / "src/iraas/deploy/units"
STARTED = (
    "iraas.target",
    "iraas-web.service",
    "iraas-worker@01.service",
    "iraas-instance.service",
    "iraas-leave.path",
    "iraas-leave.service",
)
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))


def systemd_analyze(*words: str) -> str:
    """What it says, on both of its outputs."""
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("systemd-analyze, of Debian's package systemd,")
    done = subprocess.run(
        [str(program), *words], stdout=PIPE, stderr=STDOUT, text=True, check=False, timeout=60
    )
    return done.stdout.strip()


def verify(root: Path) -> str:
    """What `systemd-analyze verify` finds in the units below `root`; empty: nothing. Adds systemd's own units to it."""
    shutil.copytree("/usr/lib/systemd", root / "usr/lib/systemd", symlinks=True, dirs_exist_ok=True)
    (root / "usr/bin").mkdir(exist_ok=True)
    shutil.copy("/usr/bin/touch", root / "usr/bin/touch")
    return systemd_analyze("verify", f"--root={root}", *STARTED)
