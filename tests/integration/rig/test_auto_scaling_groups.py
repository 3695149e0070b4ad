"""The rig's Auto Scaling groups, on machines that are nothing but a name."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from tests.integration.rig.memory_machines import HOOK, Played
from tests.rig.group_spec import Hook, group_spec
from tests.rig.roster import Refused


async def test_the_desired_capacity_is_launched():
    """Instances are pending until their machine runs, with the template's user data, spread over the zones."""
    played = Played(user_data="#!/bin/sh", zones=("z1", "z2"))
    played.machines.boots.clear()
    await played.want(3)
    assert played.group.metrics()["GroupPendingInstances"] == 3
    played.machines.boots.set()
    await played.pass_time()

    assert list(played.machines.running.values()) == ["#!/bin/sh"] * 3
    assert (
        played.group.metrics() | {"GroupDesiredCapacity": 3, "GroupInServiceInstances": 3}
        == played.group.metrics()
    )
    assert sorted(member.zone for member in played.roster.members()) == ["z1", "z1", "z2"]
    assert "changing the desired capacity from 0 to 3. At " in played.causes()[0]
    assert played.causes()[0].endswith("increasing the capacity from 2 to 3.")


async def test_the_desired_capacity_stays_between_the_bounds():
    """Beyond minimum and maximum a request is refused, and nothing changes."""
    played = Played(least=1, desired=1)
    for wrong in (0, 11):
        with pytest.raises(Refused, match=f"value {wrong} is (below min|above max) value"):
            played.group.set_desired(wrong, "a test")
    assert played.group.desired == 1


async def test_a_launch_that_fails_is_tried_again_later():
    """It stands among the activities, with its reason."""
    played = Played()
    played.machines.fails = "no room"
    await played.want(1)
    await played.pass_time(29)
    failed = played.roster.activities.latest()
    assert [(activity.status, activity.message) for activity in failed] == [("Failed", "no room")]
    played.machines.fails = ""
    await played.pass_time(1)

    assert len(played.ids("InService")) == 1


async def test_scale_in_waits_for_the_hook():
    """An instance is told through its metadata, waits, and is shut down once the hook is completed."""
    played = Played(desired=1)
    await played.pass_time()
    await played.want(0)
    [member] = played.roster.members("Terminating:Wait")
    assert member.metadata.target_lifecycle_state == "Terminated"
    assert played.group.sizes() == (0, 0, 1)
    assert played.machines.alive(member.id)

    played.group.complete(member.id, "leaving", "CONTINUE")
    await played.pass_time()

    assert played.roster.members() == []
    assert (member.state, member.left_by, played.machines.ended) == ("Terminated", "CONTINUE", [member.id])
    assert [state for _id, state in played.changes] == [
        "Pending",
        "InService",
        "Terminating:Wait",
        "Terminating:Proceed",
        "Terminated",
    ]


async def test_a_hook_times_out_unless_its_heart_beats():
    """Each heartbeat gives the hook's time again; without one the instance ends."""
    played = Played(desired=2, hook=HOOK._replace(timeout=30.0))
    await played.pass_time()
    await played.want(1)
    [silent] = played.roster.members("Terminating:Wait")
    await played.pass_time(29)
    assert silent.state == "Terminating:Wait"
    await played.pass_time(1)
    assert (silent.state, silent.left_by) == ("Terminated", "timed out")

    await played.want(0)
    [member] = played.roster.members()
    for _ in range(3):
        await played.pass_time(29)
        played.group.heartbeat(member.id, "leaving")
    await played.pass_time(29)
    assert member.state == "Terminating:Wait"
    await played.pass_time(1)

    assert (member.state, member.left_by, member.beats) == ("Terminated", "timed out", 3)


async def test_heartbeats_do_not_hold_an_instance_for_ever():
    """A hundred times the time-out, or 48 hours, is the end."""
    assert Hook("h", 30.0, "CONTINUE").at_most == 3_000
    assert Hook("h", 7_200.0, "CONTINUE").at_most == 172_800
    played = Played(desired=1, hook=HOOK._replace(timeout=30.0))
    await played.pass_time()
    await played.want(0)
    [member] = played.roster.members()
    for _ in range(150):
        if member.state == "Terminating:Wait":
            played.group.heartbeat(member.id, "leaving")
        await played.pass_time(20)

    assert member.left_by == "timed out"


async def test_hooks_and_instances_that_nobody_knows_are_refused():
    """With AWS's words: whoever completes twice, or another hook, is told so."""
    played = Played(desired=1)
    await played.pass_time()
    [instance] = played.ids()
    with pytest.raises(Refused, match=f"No active Lifecycle Action found with instance ID {instance}"):
        played.group.complete(instance, "leaving", "CONTINUE")
    await played.want(0)
    with pytest.raises(Refused, match="No Lifecycle Hook found"):
        played.group.complete(instance, "other", "CONTINUE")
    with pytest.raises(Refused, match="No active Lifecycle Action found with instance ID i-0"):
        played.group.heartbeat("i-0", "leaving")
    played.group.complete(instance, "leaving", "CONTINUE")
    with pytest.raises(Refused, match="No active Lifecycle Action"):
        played.group.complete(instance, "leaving", "CONTINUE")
    with pytest.raises(Refused, match="not in InService"):
        played.group.protect([instance], protected=True)


async def test_scale_in_spares_the_protected():
    """Whoever is protected stays; when all are, the desired capacity falls and an activity says why nobody ends."""
    played = Played(desired=3)
    await played.pass_time()
    first, second, third = played.ids()
    played.group.protect([first, third], protected=True)
    await played.want(0)
    assert played.ids("Terminating:Wait") == [second]
    said = "could not scale to desired capacity because all remaining instances are protected from scale-in"
    await played.pass_time(60)
    assert sum(said in cause for cause in played.causes()) == 1

    played.group.protect([third], protected=False)
    await played.pass_time()

    assert played.ids("InService") == [first]
    assert played.group.desired == 0


async def test_who_ends_first_is_said_by_the_default_policy():
    """The fullest zone first, then the oldest launch template, then whoever is closest to its next full hour."""
    played = Played(desired=3, zones=("z1", "z2"))
    await played.pass_time()
    [alone] = [member.id for member in played.roster.members() if member.zone == "z2"]
    await played.want(2)
    assert alone in played.ids("InService")

    played = Played(desired=1, zones=("z1",))
    await played.pass_time()
    played.roster.template = 2
    await played.pass_time(10)
    await played.want(3)
    [old, *_] = played.ids()
    await played.want(2)
    assert played.ids("Terminating:Wait") == [old]

    played = Played(desired=1, zones=("z1",))
    await played.pass_time()
    await played.pass_time(1_000)
    await played.want(2)
    _first, second = played.ids()
    await played.pass_time(2_700)
    await played.want(1)  # the first was launched 3,700 s ago, the second 2,700
    assert played.ids("Terminating:Wait") == [second]


async def test_an_instance_that_still_boots_ends_when_it_is_in_service():
    """Scale-in takes it when nobody else is there to take."""
    played = Played()
    played.machines.boots.clear()
    await played.want(2)
    await played.want(1)
    played.machines.boots.set()
    await played.pass_time()

    assert played.group.sizes() == (1, 0, 1)


async def test_what_dies_is_replaced():
    """A kill without notice is found out by the instance's health."""
    played = Played(desired=1)
    await played.pass_time()
    [killed] = played.ids()
    played.roster.kill(killed)
    await played.pass_time()

    assert len(played.ids("InService")) == 1
    assert played.roster.everyone[killed].left_by == "died"
    assert "EC2 health check indicating it has been terminated" in played.causes()[1]
    assert "increasing the capacity from 0 to 1" in played.causes()[0]


async def test_who_dies_on_its_way_out_is_gone():
    """The hook of an instance without a machine waits for nobody."""
    played = Played(desired=1)
    await played.pass_time()
    await played.want(0)
    [instance] = played.ids()
    played.roster.kill(instance)
    await played.pass_time()

    assert played.ids() == []


async def test_a_balancer_may_call_an_instance_ill():
    """After the grace period, and by way of the hook; another one takes its place at once."""
    ill: dict[str, bool] = {}
    played = Played(desired=1, least=1, balancer=ill, asks_balancer=True, grace=60.0)
    await played.pass_time()
    [instance] = played.ids()
    ill[instance] = False
    await played.pass_time(59)
    assert played.ids("InService") == [instance]
    await played.pass_time(1)

    assert played.ids("Terminating:Wait") == [instance]
    assert len(played.ids("InService")) == 1
    assert any("ELB system health check failure" in cause for cause in played.causes())


async def test_a_spot_interruption_tells_the_instance_and_kills_it_two_minutes_later():
    """The notice stands in the metadata in real time, whatever the scale."""
    played = Played(desired=1)
    await played.pass_time()
    [member] = played.roster.members()
    before = time.time()
    played.roster.interrupt(member.id)
    told = datetime.fromisoformat(member.metadata.spot_action).timestamp()
    assert before + 11.99 <= told <= time.time() + 12
    await played.pass_time(119)
    assert member.state == "InService"
    await played.pass_time(1)

    assert member.state == "Terminated"
    assert len(played.ids("InService")) == 1


async def test_a_rebalance_starts_a_replacement_first():
    """With capacity rebalancing the one at risk ends once another is in service, beyond the maximum if need be."""
    played = Played(desired=1, most=1, rebalances=True)
    await played.pass_time()
    [at_risk] = played.ids()
    played.group.protect([at_risk], protected=True)
    played.machines.boots.clear()
    played.roster.recommend_rebalance(at_risk)
    await played.pass_time()
    assert played.group.sizes() == (1, 1, 0)
    assert played.roster.member(at_risk).metadata.rebalance
    played.machines.boots.set()
    await played.pass_time()

    assert played.ids("Terminating:Wait") == [at_risk]
    assert len(played.ids("InService")) == 1


async def test_without_capacity_rebalancing_nobody_is_replaced():
    """The instance is told, and that is all."""
    played = Played(desired=1)
    await played.pass_time()
    [at_risk] = played.ids()
    played.roster.recommend_rebalance(at_risk)
    await played.pass_time(60)

    assert played.ids() == [at_risk]


async def test_warm_ups_are_counted():
    """Whoever came into service less than a warm-up ago is warming, as whoever still boots."""
    played = Played(desired=1)
    await played.pass_time()
    await played.pass_time(60)
    await played.want(2)
    played.machines.boots.clear()
    await played.want(3)

    assert played.group.sizes(60.0) == (1, 2, 0)
    assert played.group.sizes(0.0) == (2, 1, 0)
    played.machines.boots.set()
    await played.pass_time(60)
    assert played.group.sizes(60.0) == (2, 1, 0)


async def test_who_is_terminated_by_request_may_be_replaced_or_not():
    """With the capacity lowered it is not; protection does not hold it up, and the minimum is kept."""
    played = Played(desired=2, least=1)
    await played.pass_time()
    first, second = played.ids()
    played.group.protect([first], protected=True)
    played.group.terminate(first, decrement=True)
    await played.pass_time()
    assert (played.group.desired, played.ids("InService")) == (1, [second])
    with pytest.raises(Refused, match="desiredSize equals minSize"):
        played.group.terminate(second, decrement=True)
    played.group.terminate(second, decrement=False)
    await played.pass_time()

    assert len(played.ids("InService")) == 1
    assert second not in played.ids("InService")


async def test_what_fails_behind_the_scenes_is_no_secret():
    """A machine that cannot be shut down is an error of the rig, and the next tick raises it."""
    played = Played(desired=1, hook=None)
    await played.pass_time()

    async def broken(_instance: str) -> None:
        raise OSError("broken")

    played.machines.shut_down = broken
    with pytest.raises(OSError, match="broken"):
        await played.want(0)


def test_a_group_is_made_from_a_templates_properties():
    """Numbers and booleans may be text, as in a template; the hook may stand apart."""
    spec = group_spec(
        {
            "AutoScalingGroupName": "web",
            "MinSize": "2",
            "MaxSize": "6",
            "HealthCheckType": "ELB",
            "HealthCheckGracePeriod": 90,
            "CapacityRebalance": "true",
            "NewInstancesProtectedFromScaleIn": False,
            "VPCZoneIdentifier": ["subnet-1"],
        },
        user_data="data",
        hook={
            "AutoScalingGroupName": "web",
            "LifecycleHookName": "leaving",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "HeartbeatTimeout": "120",
            "DefaultResult": "CONTINUE",
        },
    )
    assert (spec.name, spec.least, spec.most, spec.desired) == ("web", 2, 6, 2)
    assert (spec.asks_balancer, spec.grace, spec.rebalances, spec.protected) == (True, 90.0, True, False)
    assert spec.hook == Hook("leaving", 120.0, "CONTINUE")


HOOK_PROPERTIES = {"LifecycleHookName": "h", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}


@pytest.mark.parametrize(
    ("wrong", "hook", "named"),
    [
        ({"Surprise": 1}, None, "Surprise"),
        ({"TerminationPolicies": ["OldestInstance"]}, None, "OldestInstance"),
        ({}, HOOK_PROPERTIES | {"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}, "LAUNCHING"),
        ({}, HOOK_PROPERTIES | {"HeartbeatTimeout": 29}, "HeartbeatTimeout"),
        ({"LifecycleHookSpecificationList": [HOOK_PROPERTIES]}, HOOK_PROPERTIES, "one lifecycle hook"),
    ],
)
def test_what_the_rig_does_not_play_is_named(wrong, hook, named):
    """Nothing of a template is dropped in silence."""
    with pytest.raises(ValueError, match=named):
        group_spec({"AutoScalingGroupName": "g", "MinSize": 0, "MaxSize": 1} | wrong, user_data="", hook=hook)
