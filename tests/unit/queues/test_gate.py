"""The gate lets one writer in at a time, and nobody passes who came later."""

import fcntl
import os
import threading
from contextlib import closing

import pytest

from iraas.queues.gate import Gate


@pytest.fixture
def gates(tmp_path):
    """Three gates of one folder, as three processes would have them."""
    with closing(Gate(tmp_path)) as a, closing(Gate(tmp_path)) as b, closing(Gate(tmp_path)) as c:
        yield a, b, c


def is_taken(path):
    """Whether somebody holds this file's lock."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_one_at_a_time(gates, tmp_path):
    """Whoever is inside keeps the others out until he leaves; leaving twice is leaving."""
    gate, _, _ = gates
    assert not is_taken(tmp_path / "queue.turn")
    gate.enter()
    assert is_taken(tmp_path / "queue.turn")
    gate.leave()
    gate.leave()
    assert not is_taken(tmp_path / "queue.turn")


def test_nobody_overtakes_who_waits(gates, tmp_path):
    """A writer that leaves and comes back at once finds the one that waited before it."""
    flooding, waiting, _ = gates
    order = []
    flooding.enter()
    waiter = threading.Thread(target=lambda: (waiting.enter(), order.append("waiting"), waiting.leave()))
    waiter.start()
    while not is_taken(tmp_path / "queue.next"):  # until it stands at the gate
        pass

    flooding.leave()
    flooding.enter()
    order.append("flooding")
    flooding.leave()
    waiter.join()

    assert order == ["waiting", "flooding"]


def test_no_two_are_ever_inside(gates):
    """Under contention every entry finds the gate empty."""
    inside, most = 0, 0

    def write_often(gate):
        nonlocal inside, most
        for _ in range(300):
            gate.enter()
            inside += 1
            most = max(most, inside)
            inside -= 1
            gate.leave()

    writers = [threading.Thread(target=write_often, args=[gate]) for gate in gates]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert most == 1


def test_closing_leaves(gates, tmp_path):
    """A gate that is closed, as by a death, lets the next one in."""
    gate = Gate(tmp_path)
    gate.enter()
    gate.close()
    assert not is_taken(tmp_path / "queue.turn")
