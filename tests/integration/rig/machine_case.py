"""What the tests of each kind of machines share: an instance's user data, what it leaves, who answers in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.rig.machines.cgroup import PREFIX, unified
from tests.rig.machines.host import Host

PATIENCE_SECONDS = 60.0  # a loaded machine with two cores is slow, not wrong
LOOK_SECONDS = 0.05

WORKER_DATA = """#!/bin/bash
cat > /etc/iraas/iraas.env <<'END'
IRAAS_BACKEND=aws
IRAAS_STACK=rig
IRAAS_REGION=us-east-1
IRAAS_REQUEST_QUEUE_URL={requests}
IRAAS_DEAD_LETTER_QUEUE_URL={dead}
IRAAS_INPUT_BUCKET=rig-inputs
IRAAS_RESULT_BUCKET=rig-results
IRAAS_MODEL=fast
IRAAS_INSTANCE_TIER={tier}
IRAAS_WORKERS_PER_INSTANCE=1
IRAAS_INSTANCE_LOOK_EVERY=0.2
IRAAS_SQS_WAIT_SECONDS=1
IRAAS_HOST=0.0.0.0
IRAAS_API_KEYS=ann:{hash}
END
"""


def service_data(sqs: Fauxqs, s3: Seaweedfs, *, tier: str) -> str:
    """User data for an instance of a tier, and the queues and buckets that it names."""
    for bucket in ("rig-inputs", "rig-results"):
        with suppress(Exception):  # of an earlier test
            s3.create_bucket(bucket)
    return WORKER_DATA.format(
        requests=sqs.create_queue("rig-requests"),
        dead=sqs.create_queue("rig-dead-letters"),
        tier=tier,
        hash="0" * 64,
    )


async def soon(condition: Callable[[], object], what: Callable[[], str]) -> None:
    """Wait for what another process does and announces nowhere, in the event loop that serves it.

    Fails with what `what` says then, such as a log.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what()
        await asyncio.sleep(LOOK_SECONDS)


async def answer(machines: Host, instance: str, port: int, path: str = "/") -> bytes:
    """What a web server inside says, as soon as there is one."""
    while True:
        try:
            connection = await machines.connect(instance, port)
        except OSError:
            assert machines.alive(instance), machines.log(instance)[-3000:]
            await asyncio.sleep(LOOK_SECONDS)
            continue
        reader, writer = await asyncio.open_connection(sock=connection)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        try:
            return await reader.read()
        finally:
            writer.close()


def addresses(pid: int) -> set[str]:
    """The addresses of the network in which a process is."""
    before, found = "", set()
    for line in Path(f"/proc/{pid}/net/fib_trie").read_text().splitlines():
        if line.split()[:2] == ["/32", "host"] and line.split()[2] == "LOCAL":
            found.add(before.split()[-1])
        before = line
    return found


class Left(NamedTuple):
    """What could be left of instances."""

    processes: frozenset[int]
    mounts: frozenset[str]
    cgroups: frozenset[str]
    files: int  # and other files that this process has open


def cgroups_of(rig: int) -> frozenset[str]:
    """Those that a process made for its instances; others may run a rig of their own beside it."""
    home = unified()
    return frozenset(each.name for each in home.glob(f"{PREFIX}{rig}-*")) if home else frozenset()


def left() -> Left:
    """What there is now that instances of a rig could have left."""
    mine = psutil.Process()
    here = Path("/proc/self/mountinfo").read_text().splitlines()
    return Left(
        frozenset(child.pid for child in mine.children(recursive=True)),
        frozenset(line for line in here if "iraas-rig" in line),
        cgroups_of(mine.pid),
        mine.num_fds(),
    )
