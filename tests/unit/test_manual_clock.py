"""A manual clock moves when it is told to, and tells who listens."""

import pytest

from iraas.testing.manual_clock import ManualClock


def test_stands_still_until_it_is_advanced():
    """`advance` moves wall time and boot time alike; nothing else does."""
    clock = ManualClock(time=1_000.0, boot=10.0)
    assert (clock.time(), clock.boot()) == (1_000.0, 10.0)
    clock.advance(2.5)
    assert (clock.time(), clock.boot()) == (1_002.5, 12.5)


def test_only_the_wall_clock_jumps():
    """`jump_wall` moves wall time either way, and `advance` refuses to go back."""
    clock = ManualClock(time=1_000.0, boot=10.0)
    clock.jump_wall(-3_600)
    assert (clock.time(), clock.boot()) == (-2_600.0, 10.0)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


def test_a_reboot_begins_boot_time_anew():
    """After `reboot` the boot has another name and is young; wall time has gone on."""
    clock = ManualClock(time=1_000.0, boot=5_000.0)
    earlier = clock.boot_id
    clock.reboot()
    assert clock.boot_id != earlier
    assert clock.boot() < 5_000.0
    assert clock.time() > 1_000.0


def test_tells_who_listens():
    """Each move is told to every listener, after it was made."""
    clock, seen = ManualClock(boot=0.0), []
    clock.when_moved(lambda: seen.append(clock.boot()))
    clock.advance(1)
    clock.jump_wall(1)
    clock.reboot()
    assert seen == [1.0, 1.0, clock.boot()]
