"""iraas.fleet.chronicle, .file, .tally: what the supervisor knows, another process reads."""

from __future__ import annotations

import json
import math

import pytest

from iraas.fleet import file as fleet_file
from iraas.fleet.chronicle import TROUBLE_SECONDS, WRITE_SECONDS, Chronicle
from iraas.fleet.file import FleetFile
from iraas.fleet.port import EVENTS_KEPT, FleetReport, FleetState
from iraas.fleet.tally import Tally
from iraas.testing.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fleet.json"


@pytest.fixture
def chronicle(clock, path):
    return Chronicle(FleetFile(path), clock=clock, minimum=1, maximum=4, policy="ours")


def test_another_process_reads_what_was_written(chronicle, path):
    """State and report come out of the file as they went in, the newest event first."""
    chronicle.decided(1, 3, "38 waiting")
    chronicle.decided(3, 2, "quiet")
    chronicle.booted(0.5)
    chronicle.booted(0.7)
    chronicle.write(FleetState(2, 1, 1, 1), at_once=True)

    reader = FleetFile(path)
    assert reader.state() == FleetState(2, 1, 1, 1)
    report = reader.report()
    assert (report.minimum, report.maximum, report.policy, report.boot_seconds) == (1, 4, "ours", 0.6)
    assert [(event.before, event.capacity, event.reason) for event in report.events] == [
        (3, 2, "quiet"),
        (1, 3, "38 waiting"),
    ]
    assert json.loads(path.read_text())["in_service"] == 2


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"in_service": "many"}', b"[]", b"\xff\xfe"])
def test_what_cannot_be_read_is_nothing_known(path, content):
    """No file, half a file or another's: zeros and None, and no error."""
    if content is not None:
        path.write_bytes(content)
    assert FleetFile(path).state() == FleetState(0, 0)
    assert FleetFile(path).report() == FleetReport()


def test_reading_is_cheap(path, chronicle, monkeypatch):
    """The file is read again only after half a second, however often one asks."""
    now = 100.0
    monkeypatch.setattr(fleet_file.time, "monotonic", lambda: now)
    chronicle.write(FleetState(1, 0), at_once=True)
    reader = FleetFile(path)
    assert reader.state().in_service == 1
    chronicle.write(FleetState(2, 0), at_once=True)
    assert reader.state().in_service == 1
    now += 0.51
    assert reader.state().in_service == 2


def test_only_the_latest_events_are_kept(chronicle):
    """Days of changes do not make the file grow."""
    for number in range(EVENTS_KEPT + 30):
        chronicle.decided(0, number, "so")
    events = chronicle.report().events
    assert len(events) == EVENTS_KEPT
    assert events[0].capacity == EVENTS_KEPT + 29


def test_trouble_of_one_kind_is_told_once_in_a_while(chronicle, clock):
    """Twelve workers that fail again and again are one event, and how many more there were."""
    for _ in range(12):
        chronicle.trouble("start", "worker-1 could not start", capacity=3)
    chronicle.trouble("queue", "away", capacity=3)
    assert len(chronicle.report().events) == 2
    clock.advance(TROUBLE_SECONDS)
    chronicle.trouble("start", "worker-1 could not start", capacity=3)
    assert "11 more" in chronicle.report().events[0].reason
    assert chronicle.report().events[0].trouble


def test_trouble_is_read_while_it_lasts(chronicle, path):
    """While the queue cannot be asked nothing else is written: the trouble itself is."""
    chronicle.write(FleetState(1, 0), at_once=True)
    chronicle.trouble("queue", "away", capacity=1)
    assert FleetFile(path).report().events[0].reason == "away"


def test_what_changes_all_the_time_is_written_now_and_then(chronicle, clock, path):
    """Busy counts cost two writings a second at most; a worker that comes or goes is told at once."""
    chronicle.write(FleetState(1, 0, 0), at_once=False)
    chronicle.write(FleetState(1, 0, 1), at_once=False)
    assert json.loads(path.read_text())["busy"] == 0
    chronicle.write(FleetState(2, 0, 1), at_once=True)
    assert json.loads(path.read_text())["in_service"] == 2
    clock.advance(WRITE_SECONDS)
    chronicle.write(FleetState(2, 0, 2), at_once=False)
    assert json.loads(path.read_text())["busy"] == 2


def test_what_stays_the_same_is_not_written(chronicle, clock, path):
    """A service at rest writes nothing."""
    chronicle.write(FleetState(1, 0), at_once=True)
    path.unlink()
    clock.advance(60)
    chronicle.write(FleetState(1, 0), at_once=False)
    assert not path.exists()


def test_a_folder_that_cannot_be_written_ends_nothing(clock, tmp_path):
    """The fleet goes on, and it is written once that is possible."""
    path = tmp_path / "later" / "fleet.json"
    chronicle = Chronicle(FleetFile(path), clock=clock, minimum=0, maximum=1, policy="ours")
    chronicle.write(FleetState(1, 0), at_once=True)
    path.parent.mkdir()
    chronicle.write(FleetState(1, 0), at_once=True)
    assert FleetFile(path).state().in_service == 1


def test_service_time_is_learnt_from_workers():
    """The first report counts whole, later ones by their pictures; nonsense counts nothing."""
    tally = Tally()
    assert math.isnan(tally.service_seconds)
    tally.hear("4 0.8")
    assert (tally.ended, tally.service_seconds) == (4, pytest.approx(0.2))
    for line in ("", "x y", "3", "-1 2", "1 nan", "1 inf", "1 -2", "1 2 3"):
        tally.hear(line)
    assert tally.ended == 4
    tally.hear("2 0.0")  # answered without any work
    assert (tally.ended, tally.service_seconds) == (6, pytest.approx(0.2))
    for _ in range(200):
        tally.hear("1 0.1")
    assert tally.service_seconds == pytest.approx(0.1, rel=0.01)
