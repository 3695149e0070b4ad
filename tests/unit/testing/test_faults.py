"""iraas.testing.faults: the faults are thrown as often as asked, and their effects are what they say."""

import pytest

from iraas.errors import BackendUnavailable
from iraas.queues.port import Message
from iraas.testing.around import AroundBlobs
from iraas.testing.faults import Faults, FaultyQueue, FaultyResponses
from iraas.testing.memory import MemoryQueue, MemoryResponseQueues
from iraas.testing.memory_blobs import MemoryBlobs


@pytest.fixture
def raging(tmp_path):
    """A file that says that the faults go on."""
    path = tmp_path / "faults"
    path.touch()
    return path


async def test_calls_fail_as_often_as_asked_and_half_of_them_after_their_effect(raging):
    """Of 2,000 puts a tenth fails; half of these are there all the same."""
    store = MemoryBlobs()
    faulty = AroundBlobs(store, "inputs", Faults(7, 0.1, raging).around)
    failed = []
    for number in range(2_000):
        try:
            await faulty.put(f"key-{number}", b"")
        except BackendUnavailable:
            failed.append(f"key-{number}")
    there = [key for key in failed if key in store._objects]

    assert 150 < len(failed) < 250
    assert 0.3 < len(there) / len(failed) < 0.7
    assert len(store._objects) == 2_000 - len(failed) + len(there)


async def test_the_same_seed_throws_the_same_faults(raging):
    """A test that fails can be run again."""

    async def thrown(seed):
        faults, outcomes = Faults(seed, 0.3, raging), []
        for _ in range(50):
            try:
                await faults.around("step", MemoryQueue().depth)
                outcomes.append(True)
            except BackendUnavailable:
                outcomes.append(False)
        return outcomes

    assert await thrown(1) == await thrown(1) != await thrown(2)


async def test_messages_come_twice_and_in_disorder(raging):
    """Every message is delivered two times, and not in the order in which it was sent."""
    queue = FaultyQueue(MemoryQueue(), "requests", Faults(1, 0.0, raging))
    sent = [b"%03d" % number for number in range(50)]
    for body in sent:
        await queue.send([Message(body, body.decode())])
    received = [delivery.body for delivery in await queue.receive(up_to=200, wait=0)]

    assert sorted(received) == sorted(sent * 2)
    assert received != sorted(received)


async def test_replies_come_twice(raging):
    """A web process gets every reply two times."""
    responses = FaultyResponses(MemoryResponseQueues(), Faults(1, 0.0, raging))
    name, own = await responses.open()
    await responses.send(name, [Message(b"reply")])
    assert [delivery.body for delivery in await own.receive(up_to=9, wait=0)] == [b"reply", b"reply"]


async def test_without_the_file_nothing_fails(raging):
    """When the file is gone, the faults are over."""
    faults = Faults(7, 1.0, raging)
    queue = FaultyQueue(MemoryQueue(), "requests", faults)
    with pytest.raises(BackendUnavailable):
        await queue.send([Message(b"job")])
    raging.unlink()
    await queue.send([Message(b"job")])
    bodies = [delivery.body for delivery in await queue.receive(up_to=9, wait=0)]
    assert bodies[-1] == b"job"
