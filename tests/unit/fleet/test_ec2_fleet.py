"""iraas.fleet.ec2_fleet: what AWS says of a group, and what web processes publish for its alarms."""

from __future__ import annotations

import pytest

from iraas.errors import BackendUnavailable
from iraas.fleet.chronicle import Chronicle
from iraas.fleet.ec2_fleet import LOST_SECONDS, RESTS, STALE, YOUNG, Ec2Fleet, Group, Need, described, lack
from iraas.fleet.port import FleetState
from iraas.testing.manual_clock import ManualClock

PERIOD = 10.0
NAME = "app"


def answer(
    *states: str, desired: int | None = None, least: int = 0, most: int = 10, name: str = NAME
) -> dict:
    """What DescribeAutoScalingGroups says of a group with instances in these states."""
    counted = [state for state in states if state.startswith(("Pending", "InService"))]
    return {
        "AutoScalingGroups": [
            {
                "AutoScalingGroupName": name,
                "MinSize": least,
                "MaxSize": most,
                "DesiredCapacity": len(counted) if desired is None else desired,
                "Instances": [{"InstanceId": f"i-{n}", "LifecycleState": s} for n, s in enumerate(states)],
            }
        ]
    }


class Bench:
    """A fleet, its clock, and what is told of it."""

    def __init__(self, *, workers: int = 2, decides_every: float | None = 5.0) -> None:
        self.clock = ManualClock()
        self.chronicle = Chronicle(None, clock=self.clock, minimum=0, maximum=0, policy="ours")
        self.fleet = Ec2Fleet(
            NAME,
            workers_per_instance=workers,
            period=PERIOD,
            decides_every=decides_every,
            chronicle=self.chronicle,
            clock=self.clock,
        )

    async def grown_up(self, *states: str) -> None:
        """Decide and hear for so long that it has a say in everything."""
        self.fleet.heard(answer(*states))
        await self.fleet.set(self.fleet.state().capacity)
        self.clock.advance(YOUNG * PERIOD)
        self.fleet.heard(answer(*states))


@pytest.fixture
def bench():
    return Bench()


def test_instances_are_counted_by_their_lifecycle():
    """What waits in a hook is pending or terminating still; standby, warm and detaching ones are no capacity."""
    group = described(
        NAME,
        answer(
            "InService",
            "InService",
            "Pending",
            "Pending:Wait",
            "Pending:Proceed",
            "Terminating",
            "Terminating:Wait",
            "Terminating:Proceed",
            "Terminated",
            "Standby",
            "EnteringStandby",
            "Detaching",
            "Warmed:Stopped",
            "Quarantined",
            desired=5,
        ),
    )
    assert group == Group(0, 10, 5, in_service=2, pending=3, terminating=3)


@pytest.mark.parametrize("said", [{"AutoScalingGroups": []}, answer(name="another"), {}])
def test_a_group_that_is_not_there_is_an_error(said):
    """A wrong name is not a group without instances."""
    with pytest.raises(BackendUnavailable):
        described(NAME, said)


def test_workers_are_instances_times_workers(bench):
    """State and bounds are in workers, as the page shows them; who is busy is not known."""
    bench.fleet.heard(answer("InService", "InService", "Pending", "Terminating", least=1, most=7))
    assert bench.fleet.state() == FleetState(in_service=4, starting=2, busy=0, draining=2)
    assert bench.fleet.bounds == (2, 14)
    assert (bench.fleet.report().minimum, bench.fleet.report().maximum) == (2, 14)


def test_until_the_group_is_known_replies_tell_who_works(bench):
    """Before the first word of AWS, and long after the last, the workers that answer are counted."""
    bench.fleet.saw("a")
    bench.fleet.saw("b")
    assert bench.fleet.state() == FleetState(2, 0)
    bench.fleet.heard(answer("InService"))
    assert bench.fleet.state().in_service == 2
    bench.clock.advance(LOST_SECONDS + 1)
    bench.fleet.saw("c")
    assert bench.fleet.state().in_service == 1


def test_a_controller_sees_nothing_while_the_group_is_unknown(bench):
    """Neither before it was described nor when that was too long ago."""
    with pytest.raises(BackendUnavailable):
        bench.fleet.check()
    bench.fleet.heard(answer())
    bench.fleet.check()
    bench.clock.advance(STALE * PERIOD + 1)
    with pytest.raises(BackendUnavailable, match="app"):
        bench.fleet.check()


@pytest.mark.parametrize(
    ("wanted", "in_service", "desired", "lacking"),
    [
        (3, 0, 0, 3),
        (3, 1, 1, 2),
        (3, 3, 3, 0),
        (3, 0, 3, 0),  # they are on their way
        (3, 1, 2, 2),  # the step is added to what is in service
        (5, 0, 3, 5),
        (1, 4, 4, -3),
        (1, 4, 1, 0),  # the group ends them already, once they are not protected any more
        (1, 1, 4, 0),  # what starts cannot be taken back by a step on what is in service
        (0, 1, 1, -1),
    ],
)
def test_what_lacks(wanted, in_service, desired, lacking):
    """Wanted less in service; nothing where the group is on its way there."""
    assert lack(wanted, Group(0, 10, desired, in_service=in_service)) == lacking


async def test_workers_that_are_wanted_become_whole_instances(bench):
    """Five workers at two an instance are three instances."""
    bench.fleet.heard(answer())
    await bench.fleet.set(5)
    assert bench.fleet.need() == Need(wanted=3, lacking=3)


async def test_a_stale_decision_is_not_published(bench):
    """A controller that hangs has no say: the other processes' values count."""
    bench.fleet.heard(answer())
    assert bench.fleet.need() is None
    await bench.fleet.set(4)
    bench.clock.advance(STALE * PERIOD + 1)
    bench.fleet.heard(answer())
    assert bench.fleet.need() is None


async def test_a_policy_that_decides_each_minute_is_not_stale_meanwhile():
    """Its wish stands until it had three more occasions."""
    bench = Bench(decides_every=60.0)
    await bench.fleet.set(4)
    for seconds, published in ((170.0, True), (20.0, False)):
        bench.clock.advance(seconds)
        bench.fleet.heard(answer())
        assert (bench.fleet.need() is not None) == published


async def test_a_group_that_was_lost_from_sight_is_not_published_for(bench):
    """What is in service may have changed: so nothing is said to lack."""
    bench.fleet.heard(answer())
    bench.clock.advance(STALE * PERIOD + 1)
    await bench.fleet.set(4)
    assert bench.fleet.need() is None


async def test_a_new_process_has_no_say_in_shrinking(bench):
    """It remembers no load, so it lets nobody go at first; it may ask for more at once."""
    bench.fleet.heard(answer("InService", "InService"))
    await bench.fleet.set(2)
    assert bench.fleet.need() == Need(wanted=1, lacking=None)
    await bench.fleet.set(6)
    assert bench.fleet.need() == Need(wanted=3, lacking=1)
    bench.clock.advance(YOUNG * PERIOD)
    bench.fleet.heard(answer("InService", "InService"))
    await bench.fleet.set(2)
    assert bench.fleet.need() == Need(wanted=1, lacking=-1)


async def test_after_a_growth_the_alarm_gets_time_to_be_ok_again(bench):
    """Two publications without a lack, or an alarm that stays in ALARM would not act on the next one for a minute."""
    await bench.grown_up()
    await bench.fleet.set(2)
    assert bench.fleet.need() == Need(1, 1)
    lacking = []
    for _ in range(4):
        bench.clock.advance(PERIOD)
        bench.fleet.heard(answer("Pending"))
        await bench.fleet.set(10)
        lacking.append(bench.fleet.need().lacking)
    assert lacking == [0, 0, 5, 5]
    assert RESTS < 2


async def test_what_begins_to_lack_is_published_at_once(bench):
    """The publisher is told when the group must grow, once; not for letting go."""
    await bench.grown_up("InService", "InService")
    await bench.fleet.set(2)
    assert not bench.fleet.hurry.is_set()
    await bench.fleet.set(6)
    assert bench.fleet.hurry.is_set()
    bench.fleet.need()
    await bench.fleet.set(8)
    assert not bench.fleet.hurry.is_set()


def test_what_alarms_decide_is_told_too():
    """Where no controller runs, a change of the desired capacity is the decision."""
    bench = Bench(decides_every=None)
    bench.fleet.heard(answer("InService"))
    bench.fleet.heard(answer("InService", desired=3))
    [event] = bench.fleet.report().events
    assert (event.before, event.capacity) == (2, 6)
    assert "3 instances" in event.reason
    assert bench.fleet.need() is None
