"""Instances that have a network and a tree of processes of their own, with root's rights and without."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.integration.rig.machine_case import addresses, answer, left, service_data
from tests.integration.rig.machines_contract import MachinesContract
from tests.rig.machines.choose import cannot_separate
from tests.rig.machines.host import Host
from tests.rig.machines.namespaces import NamespaceMachines
from tests.rig.metadata import InstanceMetadata

WEB = "i-00000000000000003"


async def _host(sqs: Fauxqs, s3: Seaweedfs, *, users: bool) -> Host:
    why_not = await cannot_separate(users=users)
    if why_not:
        pytest.skip(f"no namespaces here: {why_not}")
    return NamespaceMachines({"SQS": sqs.endpoint, "S3": s3.endpoint}, users=users)


@pytest.fixture
async def machines(sqs: Fauxqs, s3: Seaweedfs) -> AsyncIterator[Host]:
    """Instances of this kind; all end with the test."""
    host = await _host(sqs, s3, users=os.geteuid() != 0)
    yield host
    await host.close()


class TestNamespaceMachines(MachinesContract):
    """All promises hold."""


async def test_no_privilege_is_needed(sqs: Fauxqs, s3: Seaweedfs) -> None:
    """In a user namespace an instance has the same network, serves, and leaves nothing."""
    before = left()
    host = await _host(sqs, s3, users=True)
    data = service_data(sqs, s3, tier="web")
    await host.launch(WEB, user_data=data, metadata=InstanceMetadata(instance_id=WEB))

    assert b" 200 " in await answer(host, WEB, 8080, "/livez")
    assert addresses(host.first_process(WEB)) == {"127.0.0.1", "169.254.169.254"}

    await host.close()
    assert left() == before
