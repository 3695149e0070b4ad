"""iraas.fleet.seen: who answered lately is a worker in service."""

from iraas.fleet.port import FleetReport, FleetState
from iraas.fleet.seen import REMEMBER_SECONDS, SeenFleet
from iraas.testing.manual_clock import ManualClock


def test_who_answered_lately_is_counted_once():
    """Two names are two workers, however often they answer; a reply without a name says nothing."""
    fleet = SeenFleet(ManualClock())
    for name in ("a", "b", "a", ""):
        fleet.saw(name)
    assert fleet.state() == FleetState(in_service=2, starting=0)


def test_who_is_silent_is_forgotten():
    """A worker that answers no more is not counted after its minute; one that does is."""
    clock = ManualClock()
    fleet = SeenFleet(clock)
    fleet.saw("gone")
    clock.advance(REMEMBER_SECONDS * 0.75)
    fleet.saw("here")
    clock.advance(REMEMBER_SECONDS * 0.5)
    assert fleet.state().in_service == 1


def test_nothing_is_known_of_who_steers():
    """A fleet that is only seen reports no bounds, no policy, no measurement and no decision."""
    assert SeenFleet(ManualClock()).report() == FleetReport()
