"""Every block of docs/scaling.md runs, and prints what stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from iraas.scaling.plan import read_plan
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.workloads import shape

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scaling.md").read_text()
COMMANDS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TABLE = re.search(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PLANS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path, cat):
    """Where a user stands who has a trace and a picture."""
    shutil.copy(cat, tmp_path / "cat.png")
    due = np.concatenate(list(shape("step", rate=2, duration=900).arrivals(np.random.default_rng(1))))
    seconds, counts = np.unique(due.astype(int), return_counts=True)
    rows = [f"{second},{count}" for second, count in zip(seconds, counts, strict=True)]
    (tmp_path / "trace.csv").write_text("\n".join(["time,count", *rows, ""]))
    return tmp_path


def shell(block: str, folder: Path) -> str:
    """What the block prints; it must succeed."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("IRAAS_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-euc", block], cwd=folder, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_table_is_what_the_command_prints(folder):
    """The table on the page is the output of the command above it, to the letter."""
    assert shell(COMMANDS[0], folder).strip() == TABLE[1].strip()
    assert (folder / "scaling.png").stat().st_size > 10_000


@pytest.mark.parametrize("block", [block for block in COMMANDS[1:] if "iraas load" not in block])
def test_a_command_of_the_page_runs(block, folder):
    """What a reader copies works as it stands there."""
    assert shell(block, folder)
    if "--out" in block:
        assert read_plan((folder / "policy.toml").read_text()).maximum == 20


def test_the_load_of_the_page_runs(service, folder):
    """The load with its report, against a real service; only the port is another."""
    [block] = [block for block in COMMANDS if "iraas load" in block]
    shell(block.replace("localhost:8080", f"localhost:{service.port}"), folder)
    assert "<svg" in (folder / "report.html").read_text()


@pytest.mark.parametrize("text", PLANS)
def test_a_policy_of_the_page_is_one(text):
    """Each TOML block is a plan."""
    assert read_plan(text).maximum >= 1


def test_the_defaults_on_the_page_are_those_of_the_code():
    """Our rule stands there with every field and its default."""
    assert read_plan(PLANS[0]).policy == Staffing()
    assert all(f"\n{field.name} = " in PLANS[0] for field in msgspec.structs.fields(Staffing))
