"""The promises of `Machines`, for the kinds that run iraas from the checkout: a real worker, real SQS and S3."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil
import pytest
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.integration.rig.machine_case import addresses, answer, left, service_data, soon
from tests.rig.machines.host import Host
from tests.rig.metadata import InstanceMetadata

APP, WEB = "i-00000000000000001", "i-00000000000000002"


class MachinesContract:
    """`machines` is the kind's fixture, with the endpoints of `sqs` and `s3`; `separate`: promise 1 holds."""

    separate = True

    async def test_a_worker_finds_what_it_needs(self, machines: Host, sqs: Fauxqs, s3: Seaweedfs) -> None:
        """Promises 1 to 3: with the user data alone, a worker finds keys, SQS and S3; killed, it is started again."""
        data = service_data(sqs, s3, tier="app")
        await machines.launch(APP, user_data=data, metadata=InstanceMetadata(instance_id=APP))

        assert machines.alive(APP)
        await _works(machines)
        assert b"iraas_aws_requests_total" in await answer(machines, APP, 9101, "/metrics")
        if self.separate:
            assert addresses(machines.first_process(APP)) == {"127.0.0.1", "169.254.169.254"}

        os.kill(_services(machines, "worker")[0], signal.SIGKILL)
        await _works(machines, starts=2)

    async def test_a_worker_with_wrong_keys_gets_nothing(
        self, machines: Host, sqs: Fauxqs, s3: Seaweedfs
    ) -> None:
        """Promise 3: its keys are those of its metadata, and no others that this machine may have."""
        data = service_data(sqs, s3, tier="app")
        metadata = InstanceMetadata(instance_id=APP, credentials=("nobody", "nothing"))
        await machines.launch(APP, user_data=data, metadata=metadata)

        await soon(lambda: "InvalidAccessKeyId" in machines.log(APP), lambda: machines.log(APP))

    async def test_two_instances_have_the_same_ports(
        self, machines: Host, sqs: Fauxqs, s3: Seaweedfs
    ) -> None:
        """Instances side by side answer at the same ports, each by itself."""
        data = service_data(sqs, s3, tier="web")
        for instance in (APP, WEB):
            await machines.launch(instance, user_data=data, metadata=InstanceMetadata(instance_id=instance))
        lives = await asyncio.gather(*(answer(machines, each, 8080, "/livez") for each in (APP, WEB)))
        assert [each.split()[1] for each in lives] == [b"200", b"200"]

        await machines.kill(WEB)
        assert b" 200 " in await answer(machines, APP, 8080, "/livez")

    async def test_services_leave_when_they_are_told(
        self, machines: Host, sqs: Fauxqs, s3: Seaweedfs
    ) -> None:
        """Once the group ends it, the worker drains and leaves; what looks after the instance stays."""
        metadata = InstanceMetadata(instance_id=APP)
        await machines.launch(APP, user_data=service_data(sqs, s3, tier="app"), metadata=metadata)
        await _works(machines)

        metadata.target_lifecycle_state = "Terminated"

        await soon(lambda: "instance.left" in machines.log(APP), lambda: machines.log(APP))
        assert not _services(machines, "worker")
        assert _services(machines, "instance")

    async def test_it_stops_in_order(self, machines: Host, sqs: Fauxqs, s3: Seaweedfs) -> None:
        """Promises 4 and 5: shut down, a worker drains, and nothing is left but its log."""
        before = left()
        data = service_data(sqs, s3, tier="app")
        await machines.launch(APP, user_data=data, metadata=InstanceMetadata(instance_id=APP))
        await _works(machines)

        await machines.shut_down(APP)

        assert not machines.alive(APP)
        assert "worker.stopped" in machines.log(APP)
        assert left() == before

    async def test_it_is_not_waited_for_without_end(self, machines: Host, sqs: Fauxqs, s3: Seaweedfs) -> None:
        """Promise 4: what does not stop in time loses its power."""
        machines.shut_down_seconds = 0.2  # a worker's poll takes a second
        data = service_data(sqs, s3, tier="app")
        await machines.launch(APP, user_data=data, metadata=InstanceMetadata(instance_id=APP))
        await _works(machines)
        os.kill(_services(machines, "worker")[0], signal.SIGSTOP)

        async with asyncio.timeout(30):  # half of what it would wait otherwise
            await machines.shut_down(APP)

        assert not machines.alive(APP)

    async def test_it_is_killed_without_notice(self, machines: Host, sqs: Fauxqs, s3: Seaweedfs) -> None:
        """Promises 4 and 5: killed, a worker says nothing, and nothing is left; nobody answers any more."""
        before = left()
        data = service_data(sqs, s3, tier="app")
        await machines.launch(APP, user_data=data, metadata=InstanceMetadata(instance_id=APP))
        await _works(machines)

        await machines.kill(APP)

        assert not machines.alive(APP)
        assert "worker.draining" not in machines.log(APP)
        assert left() == before
        with pytest.raises(ConnectionRefusedError):
            await machines.connect(APP, 9101)


async def _works(machines: Host, *, starts: int = 1) -> None:
    await soon(lambda: machines.log(APP).count("worker.started") == starts, lambda: machines.log(APP))


def _services(machines: Host, command: str) -> list[int]:
    first = psutil.Process(machines.first_process(APP))
    return [each.pid for each in first.children() if each.cmdline()[1:] == ["-m", "iraas", command]]
