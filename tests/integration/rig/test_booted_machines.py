"""Instances that boot Debian: systemd, and cloud-init with the metadata of EC2."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.integration.rig.machine_case import addresses, answer, left, soon
from tests.rig.machines.booted import TREE, BootedMachines
from tests.rig.machines.choose import cannot_boot, choose
from tests.rig.machines.port import CannotLaunch
from tests.rig.metadata import InstanceMetadata
from tests.rig.serving import serve

ONE, TWO = "i-0123456789abcdef0", "i-0123456789abcdef1"
TELL = """#!/bin/bash
. /etc/iraas/endpoints.env
curl -sS --data-binary @/run/cloud-init/instance-data.json "$AWS_ENDPOINT_URL_SQS/$(hostname)"
systemd-run --quiet --unit=web --working-directory=/etc/iraas python3 -m http.server 8080 --bind 127.0.0.1
"""
STUBBORN = (
    TELL
    + """
systemd-run --quiet --unit=stubborn --property=TimeoutStopSec=600 sh -c 'trap "" TERM; while :; do sleep 1; done'
"""
)


class Told:
    """An endpoint of the host: what instances send to it, by their names."""

    def __init__(self) -> None:
        self.words: dict[str, dict[str, Any]] = {}
        self.endpoint = ""

    async def take(self, request: web.Request) -> web.Response:
        """Keep what was sent."""
        self.words[request.path.strip("/")] = json.loads(await request.text())
        return web.Response(text="thanks\n")


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    """Served while the test runs."""
    told = Told()
    app = web.Application()
    app.router.add_post("/{instance}", told.take)
    told.endpoint, runner = await serve(app)
    yield told
    await runner.cleanup()


@pytest.fixture
async def machines(told: Told) -> AsyncIterator[BootedMachines]:
    """Instances that boot the stock tree; all end with the test."""
    why_not = await cannot_boot()
    if why_not:
        pytest.skip(f"no instance can be booted here: {why_not}")
    host = BootedMachines({"SQS": told.endpoint})
    yield host
    await host.close()


async def _launch(machines: BootedMachines, *instances: str, data: str = TELL) -> None:
    for each in instances:
        await machines.launch(each, user_data=data, metadata=InstanceMetadata(instance_id=each))
    for each in instances:
        await answer(machines, each, 8080)


def _files(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_cloud_init_takes_user_data_from_the_metadata(machines: BootedMachines, told: Told) -> None:
    """Promises 1 and 2: cloud-init knows AWS by its metadata, runs the user data, and that reaches the host."""
    await _launch(machines, ONE)

    found = told.words[ONE]["v1"]
    assert (found["cloud_name"], found["subplatform"]) == ("aws", "metadata (http://169.254.169.254)")
    assert (found["instance_id"], found["region"]) == (ONE, "us-east-1")
    assert addresses(machines.first_process(ONE)) == {"127.0.0.1", "169.254.169.254"}
    assert b"endpoints.env" in await answer(machines, ONE, 8080)

    await soon(lambda: "Startup finished" in machines.log(ONE), lambda: machines.log(ONE))
    assert "Failed to start" not in machines.log(ONE)
    assert "Traceback" not in machines.log(ONE)


async def test_it_stops_in_order(machines: BootedMachines) -> None:
    """Promises 4 and 5: shut down, its units stop before it does, and nothing is left but the journal."""
    before = left()
    await _launch(machines, ONE)
    assert any("Started web.service" in entry["MESSAGE"] for entry in machines.said(ONE, "web.service"))

    await machines.shut_down(ONE)

    assert not machines.alive(ONE)
    assert any("Stopped web.service" in entry["MESSAGE"] for entry in machines.said(ONE, "web.service"))
    assert "Reached target poweroff.target" in machines.log(ONE)
    assert left() == before


async def test_it_is_not_waited_for_without_end(machines: BootedMachines) -> None:
    """Promise 4: a unit that does not stop holds up the end of an instance so long and no longer."""
    await _launch(machines, ONE, data=STUBBORN)
    await soon(lambda: machines.said(ONE, "stubborn.service"), lambda: machines.log(ONE))
    machines.shut_down_seconds = 1.0

    async with asyncio.timeout(30):  # half of what it would wait otherwise
        await machines.shut_down(ONE)

    assert not machines.alive(ONE)
    assert "Reached target poweroff.target" not in machines.log(ONE)


async def test_instances_are_apart(machines: BootedMachines) -> None:
    """What one instance writes is seen by no other and not kept; when it is killed, its neighbour goes on."""
    before = left()
    await _launch(
        machines, ONE, TWO, data=TELL.replace("systemd-run", 'touch "/srv/$(hostname)"; systemd-run')
    )
    for each in (ONE, TWO):
        assert _files(Path(f"/proc/{machines.first_process(each)}/root/srv")) == [each]
    assert not _files(TREE / "srv")
    machine_ids = {machines.said(each, "web.service")[0]["_MACHINE_ID"] for each in (ONE, TWO)}
    assert len(machine_ids) == 2

    await machines.kill(ONE)

    assert await answer(machines, TWO, 8080)
    await machines.kill(TWO)
    assert left() == before


async def test_it_is_killed_without_notice(machines: BootedMachines) -> None:
    """Promises 4 and 5: killed, an instance is gone at once and leaves nothing."""
    before = left()
    await _launch(machines, ONE)

    await machines.kill(ONE)

    assert not machines.alive(ONE)
    assert "Stopping" not in machines.log(ONE)
    with pytest.raises(ConnectionRefusedError):
        await machines.connect(ONE, 8080)
    assert left() == before


async def test_an_instance_may_end_itself(machines: BootedMachines) -> None:
    """`systemctl poweroff` in user data ends the instance, as the template's does when its start fails."""
    data = "#!/bin/sh\nsystemctl poweroff --no-block\n"
    await machines.launch(ONE, user_data=data, metadata=InstanceMetadata(instance_id=ONE))
    await soon(lambda: not machines.alive(ONE), lambda: machines.log(ONE))


async def test_a_tree_without_systemd_is_named(machines: BootedMachines, tmp_path: Path) -> None:
    """An instance that cannot start says why, and leaves nothing."""
    before = left()
    host = BootedMachines({}, lower=(tmp_path,))
    with pytest.raises(CannotLaunch, match="root/proc: No such file"):
        await host.launch(ONE, user_data="", metadata=InstanceMetadata(instance_id=ONE))
    assert not host.alive(ONE)
    await host.close()
    assert left() == before


async def test_booting_is_the_best(machines: BootedMachines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an instance can be booted, that is what is chosen, unless another kind is asked for."""
    assert (await choose()).kind == "booted"
    monkeypatch.setenv("IRAAS_RIG", "processes")
    assert (await choose()).kind == "processes"
    monkeypatch.setenv("IRAAS_RIG", "virtual")
    with pytest.raises(CannotLaunch, match="booted, namespaces, processes"):
        await choose()
