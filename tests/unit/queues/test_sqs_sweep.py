"""Only a queue whose owner is gone is swept, whatever the clocks say and whenever SQS was away."""

import pytest

from iraas.queues.sqs_sweep import BEAT_SECONDS, GAP_SECONDS, SILENT_SECONDS, WATCH_SECONDS, Sweep

SQS_AHEAD = 7_200.0  # seconds by which SQS's clock differs from ours


class Deployment:
    """Some owners' tags, SQS's clock, and a sweeper that looks."""

    def __init__(self, clock):
        self.clock = clock
        self.sweep = Sweep(clock)
        self.tags = {}
        self.living = set()

    @property
    def now(self):
        """SQS's time, in whole seconds as its answers have it."""
        return int(self.clock.boot() + SQS_AHEAD)

    def beat(self):
        """Every living owner writes a heartbeat."""
        self.tags.update({name: str(self.now) for name in self.living})

    def look(self):
        """What the sweeper would remove."""
        return self.sweep.look(dict(self.tags), now=self.now)

    def hours(self, hours, *, away=False):
        """Time passes with a beat and a look every five minutes, unless SQS is away; all that was condemned."""
        condemned = []
        for _ in range(int(hours * 3600 / BEAT_SECONDS)):
            self.clock.advance(BEAT_SECONDS)
            if not away:
                self.beat()
                condemned += self.look()
        return condemned


@pytest.fixture
def deployment(clock):
    """Nobody yet."""
    return Deployment(clock)


def test_the_living_are_never_swept(deployment):
    """A day of heartbeats, and nobody is touched."""
    deployment.living = {"a", "b"}
    assert deployment.hours(24) == []


def test_who_was_silent_for_an_hour_is_swept(deployment):
    """An owner that died is found out after an hour, not before."""
    deployment.living = {"a"}
    deployment.beat()
    deployment.living.clear()
    assert deployment.hours(SILENT_SECONDS / 3600) == []

    deployment.clock.advance(1)
    assert deployment.look() == ["a"]


def test_a_sweeper_that_has_just_come_watches_first(deployment):
    """However old a heartbeat is, it must stand still before the sweeper's own eyes for a quarter of an hour."""
    deployment.tags["a"] = str(deployment.now - 100 * 3600)
    assert deployment.look() == []
    deployment.clock.advance(GAP_SECONDS)
    assert deployment.look() == []
    deployment.clock.advance(WATCH_SECONDS - GAP_SECONDS)
    assert deployment.look() == ["a"]


def test_after_an_outage_of_hours_the_living_have_time_to_say_so(deployment):
    """When SQS comes back every heartbeat is old, and none of them condemns its owner."""
    deployment.living = {"a"}
    deployment.hours(1)
    deployment.hours(5, away=True)
    assert deployment.look() == []  # the first look of all, before anybody could beat
    assert deployment.hours(5) == []


def test_time_in_which_nobody_looked_is_not_watching(deployment):
    """A quarter of an hour that has an outage in it does not count."""
    deployment.tags["a"] = str(deployment.now - 2 * 3600)
    assert deployment.look() == []
    deployment.clock.advance(GAP_SECONDS + 1)
    assert deployment.look() == []
    deployment.clock.advance(WATCH_SECONDS - GAP_SECONDS)
    assert deployment.look() == []
    deployment.clock.advance(GAP_SECONDS)
    assert deployment.look() == ["a"]


def test_a_heartbeat_that_changes_is_watched_anew(deployment):
    """An owner that comes back from a long silence is alive."""
    deployment.tags["a"] = str(deployment.now - 9 * 3600)
    deployment.look()
    deployment.clock.advance(BEAT_SECONDS)
    deployment.tags["a"] = str(deployment.now - 8 * 3600)  # its clock is SQS's of then, and still it changed
    assert deployment.look() == []
    deployment.clock.advance(GAP_SECONDS)
    assert deployment.look() == []


@pytest.mark.parametrize("hours", [-30, 30])
def test_nobodys_wall_clock_counts(deployment, hours):
    """A sweeper whose own clock jumps by more than a day condemns nobody, and still finds the dead."""
    deployment.living = {"a"}
    deployment.tags["dead"] = str(deployment.now)
    deployment.look()
    deployment.clock.jump_wall(hours * 3600)
    assert set(deployment.hours(2)) == {"dead"}


@pytest.mark.parametrize("tag", [None, "", "soon", "nan", "-inf"])
def test_without_a_heartbeat_the_first_sight_counts(deployment, tag):
    """A queue whose maker died before its first heartbeat goes after an hour under this sweeper's eyes."""
    deployment.tags["a"] = tag
    deployment.look()
    assert deployment.hours(1) == []
    deployment.clock.advance(1)
    assert deployment.look() == ["a"]


def test_a_queue_that_is_gone_is_forgotten(deployment):
    """A name is not remembered for what another queue of that name did."""
    deployment.tags["a"] = str(deployment.now - 9 * 3600)
    deployment.look()
    tag = deployment.tags.pop("a")
    deployment.clock.advance(BEAT_SECONDS)
    deployment.look()
    deployment.tags["a"] = tag
    deployment.clock.advance(GAP_SECONDS)
    assert deployment.look() == []
