"""Every shell and Python block of the README runs, against a real service."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
_BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
_RUN_ELSEWHERE = re.compile(r"^make \w+.*$", re.MULTILINE)  # the Makefile's targets: CI runs them


@pytest.mark.parametrize(
    ("language", "block"), _BLOCKS, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(_BLOCKS)]
)
def test_a_block_of_the_readme_runs(language, block, service, cat, tmp_path):
    """What a newcomer copies from the README works as it stands there; only the port is another."""
    shutil.copy(cat, tmp_path / "cat.png")
    block = _RUN_ELSEWHERE.sub("", block).replace("localhost:8080", f"localhost:{service.port}")
    command = ["bash", "-euc", block] if language == "sh" else [sys.executable, "-c", block]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("IRAAS_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "IRAAS_MODEL": "fast",
        "IRAAS_DATA": str(service.data),  # as for somebody who types these beside the service
    }

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr
