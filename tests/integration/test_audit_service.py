"""`iraas audit` beside a running service: a picture whose job was lost is named, sent again and answered."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.http.states import client_of, resting
from tests.service import WITH_REPLACEMENTS, Service
from tests.unit.conftest import png
from tests.waiting import until

from iraas.settings import load_settings
from iraas.wiring.backend import open_backend


@pytest.fixture
def service(tmp_path_factory) -> Iterator[Service]:
    """A service with one worker, whose model takes no time."""
    folder = tmp_path_factory.mktemp("service") / "data"
    with Service(folder, workers=1, command=WITH_REPLACEMENTS, settings={"IRAAS_TEST_MODEL": "0"}) as running:
        yield running


def audit(data: Path, *options: str) -> tuple[int, dict]:
    """Exit code and JSON of the real command."""
    command = [sys.executable, "-m", "iraas", "audit", "--data", str(data), "--age", "0s", "--json", *options]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in ended.stderr
    return ended.returncode, json.loads(ended.stdout)


async def lose_jobs(data: Path) -> int:
    """What a power loss does to the queue; how many jobs."""
    backend = open_backend(load_settings(data=data), inline=True)
    try:
        lost = await backend.requests.receive(up_to=9, wait=0)
        await backend.requests.delete([delivery.receipt for delivery in lost])
        return len(lost)
    finally:
        await backend.close()


def test_a_picture_whose_job_was_lost_gets_its_answer(service):
    """Exit code 1 while it has none, 0 once `--resend` has brought it."""
    with client_of(service) as client:
        answered = client.post("/v1/images?wait=30", content=png()).raise_for_status().json()["id"]
        with resting(service, client):
            lost = client.post("/v1/images?wait=0", content=png((9, 9, 9))).json()["id"]
            assert asyncio.run(lose_jobs(service.data)) == 1

        code, found = audit(service.data)
        assert (code, found["late_ids"], found["waiting"]) == (1, [lost], 0)
        assert (found["pictures"], found["answered"], found["sent"]) == (2, 1, 0)

        code, found = audit(service.data, "--resend")
        assert (code, found["late_ids"], found["sent"]) == (1, [lost], 1)
        until(lambda: client.get(f"/v1/images/{lost}").status_code == 200, what="the lost picture's answer")

        code, found = audit(service.data)
        assert (code, found["late"], found["answered"]) == (0, 0, 2)
        assert client.get(f"/v1/images/{answered}").status_code == 200


def test_a_wrong_folder_is_one_line_and_exit_code_2(tmp_path):
    """No traceback, and the mend."""
    command = [sys.executable, "-m", "iraas", "audit", "--data", str(tmp_path / "typo")]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout) == (2, b"")
    [line] = ended.stderr.decode().splitlines()
    assert line.startswith("iraas: no service has run on the folder")
