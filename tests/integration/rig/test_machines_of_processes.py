"""Instances that are processes with ports of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.integration.rig.machines_contract import MachinesContract
from tests.rig.machines.host import Host
from tests.rig.machines.processes import ProcessMachines


@pytest.fixture
async def machines(sqs: Fauxqs, s3: Seaweedfs) -> AsyncIterator[Host]:
    """Instances of this kind; all end with the test."""
    host = ProcessMachines({"SQS": sqs.endpoint, "S3": s3.endpoint})
    yield host
    await host.close()


class TestProcessMachines(MachinesContract):
    """All promises but the first hold."""

    separate = False
