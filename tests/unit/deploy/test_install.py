from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "src/iraas/deploy"
SHA256 = "0123456789ab" + "0" * 52


@pytest.mark.parametrize(
    "script",
    [DEPLOY / "install.sh", DEPLOY / "back-off.sh", ROOT / "tools/make_rig.sh"],
    ids=lambda path: path.name,
)
def test_shellcheck_finds_nothing(script: Path) -> None:
    """No finding, not even one of style."""
    program = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([str(program), script], capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout == ""


@pytest.mark.parametrize("words", [[], ["v1"], [SHA256[:-1]]])
def test_a_release_must_be_named(words: list[str], tmp_path: Path) -> None:
    """Without a SHA-256 nothing is done, and it says how to call it."""
    done = subprocess.run(
        [DEPLOY / "install.sh", *words],
        env={"DESTDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr == "install.sh: say which release this is: ./install.sh SHA256\n"
    assert not list(tmp_path.iterdir())


def test_nothing_is_fetched() -> None:
    """Neither apt nor an index is asked, and the installation says so to uv."""
    script = (DEPLOY / "install.sh").read_text()

    assert not re.search(r"\b(apt|apt-get|curl|wget|pip3)\b", script)
    assert "UV_OFFLINE=1" in script
    assert "--no-index" in script
