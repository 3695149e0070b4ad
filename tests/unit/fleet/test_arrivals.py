"""iraas.fleet.arrivals: the traffic of the last days, in two files at most."""

from __future__ import annotations

import pytest

from iraas.fleet import arrivals
from iraas.fleet.arrivals import ArrivalLog
from iraas.testing.manual_clock import ManualClock

NOW = 1_700_000_000


@pytest.fixture
def clock():
    return ManualClock(time=NOW + 0.25)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trace.csv"


def test_a_line_holds_the_pictures_of_a_second(path, clock):
    """What comes in one second is one line; seconds without pictures have none."""
    log = ArrivalLog(path, clock)
    for pictures in (3, 0, 4):
        log.came(pictures)
        clock.advance(0.25)
    clock.advance(5)
    log.came(0)
    log.came(2)
    log.flush()
    assert path.read_text() == f"time,count\n{NOW},7\n{NOW + 6},2\n"


def test_the_last_second_does_not_wait_for_the_next_pictures(path, clock):
    """Being told of none is enough to write what came before."""
    log = ArrivalLog(path, clock)
    log.came(5)
    clock.advance(1)
    log.came(0)
    assert path.read_text().endswith(f"{NOW},5\n")


def test_a_later_run_goes_on_in_the_same_file(path, clock):
    """The header stands once."""
    for _ in range(2):
        log = ArrivalLog(path, clock)
        log.came(1)
        log.flush()
        clock.advance(10)
    assert path.read_text() == f"time,count\n{NOW},1\n{NOW + 10},1\n"


def test_a_clock_that_goes_back_keeps_the_order(path, clock):
    """Times in the file never fall."""
    log = ArrivalLog(path, clock)
    log.came(1)
    clock.advance(2)
    log.came(1)
    clock.jump_wall(-3600)
    log.came(1)
    clock.advance(10)
    log.came(1)
    log.flush()
    times = [int(line.split(",")[0]) for line in path.read_text().splitlines()[1:]]
    assert times == sorted(times)
    assert sum(int(line.split(",")[1]) for line in path.read_text().splitlines()[1:]) == 4


def test_a_full_file_makes_room_for_the_next(path, clock, monkeypatch):
    """At the limit it becomes trace.csv.1, in the place of an older one, and both are whole."""
    monkeypatch.setattr(arrivals, "MOST_BYTES", 60)
    log = ArrivalLog(path, clock)
    for _ in range(12):
        log.came(1)
        log.flush()
        clock.advance(1)
    assert sorted(file.name for file in path.parent.iterdir()) == ["trace.csv", "trace.csv.1"]
    for file in path.parent.iterdir():
        assert file.read_text().startswith("time,count\n")
        assert len(file.read_bytes()) <= 60
    assert path.read_text().endswith(f"{NOW + 11},1\n")


def test_a_disk_that_is_full_loses_lines_and_nothing_else(path, clock):
    """Nothing is raised, and once there is room the lines go on."""
    path.mkdir()  # no file can be written there
    log = ArrivalLog(path, clock)
    log.came(1)
    log.flush()
    path.rmdir()
    log.came(2)
    log.flush()
    assert path.read_text() == f"time,count\n{NOW},2\n"
