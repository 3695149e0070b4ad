"""`iraas instance`, the real process, in the rig's Auto Scaling: protects, leaves, survives."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import suppress
from itertools import pairwise

import psutil
import pytest
from tests.doubles.moto import Moto
from tests.integration.rig.looked_after import PROTECT_SECONDS, SCALE, LookedAfter
from tests.service import REAL, STOP_SECONDS
from tests.waiting import until


@pytest.fixture
async def one(tmp_path):
    """An instance in service."""
    async with LookedAfter(tmp_path) as instance:
        yield instance


async def test_a_busy_instance_is_protected_with_at_most_one_call_a_minute(one):
    """However often its worker is busy and idle again, the calls keep their distance."""

    def flickers(calls: int) -> bool:
        one.held.set(0 if one.held.collect()[0].samples[0].value else 3)
        return len(one.protected_at) >= calls

    one.held.set(3)
    await one.until(lambda: one.member.protected, "protected")
    await one.until(lambda: flickers(3), "three calls")
    assert all(  # it looks eight times as often; a call may arrive late, and the next one in time
        later - earlier > 0.5 * PROTECT_SECONDS * SCALE for earlier, later in pairwise(one.protected_at)
    )
    one.held.set(0)
    await one.until(lambda: not one.member.protected, "no longer protected")
    one.held.set(1)
    await one.until(lambda: one.member.protected, "protected again")

    events = one.events("instance.protected")
    assert [event["protected"] for event in events] == [bool(n % 2 == 0) for n in range(len(events))]


async def test_scale_in_has_the_services_leave_and_completes_the_hook_once(one):
    """The hook's heart is beaten while they drain, and it is completed when they left."""
    one.group.set_desired(0, "a test")
    await one.until(one.is_told, "leave")
    await one.until(lambda: one.member.beats >= 3, "three heartbeats")
    assert one.member.state == "Terminating:Wait"
    one.say_left()

    assert (await one.gone()).left_by == "CONTINUE"
    assert one.service.calls["CompleteLifecycleAction"] == 1
    assert one.process.returncode == 0
    assert [event["reason"] for event in one.events("instance.leaving")] == ["its group ends it"]
    assert [event["in_time"] for event in one.events("instance.left")] == [True]
    assert not one.events("instance.trouble")


async def test_a_spot_notice_has_the_services_leave_before_the_group_knows(one):
    """The hook is completed as soon as the group gets there, and not before."""
    one.group.roster.interrupt(one.member.id, notice=600.0)
    await one.until(one.is_told, "leave")
    one.say_left()
    await one.until(lambda: one.events("instance.left"), "left")
    assert one.member.state == "InService"
    assert one.service.calls["CompleteLifecycleAction"] == 0
    one.group.terminate(one.member.id, decrement=True)

    assert (await one.gone()).left_by == "CONTINUE"


async def test_a_drain_ends_before_ec2_takes_the_instance(tmp_path):
    """Services that do not leave cost the hook nothing: it is completed two looks before."""
    async with LookedAfter(tmp_path, IRAAS_INSTANCE_LOOK_EVERY="3") as one:
        one.group.roster.interrupt(one.member.id, notice=9.0 * SCALE)
        one.group.set_desired(0, "a test")

        assert (await one.gone()).left_by == "CONTINUE"
        assert [event["in_time"] for event in one.events("instance.left")] == [False]


async def test_a_rebalance_recommendation_costs_protection_alone(one):
    """It goes on serving until its group ends it."""
    one.held.set(1)
    await one.until(lambda: one.member.protected, "protected")
    one.group.roster.recommend_rebalance(one.member.id)
    await one.until(lambda: not one.member.protected, "no longer protected")

    assert one.events("instance.warned")
    assert not one.is_told()


@pytest.mark.parametrize("when", ["before", "told", "left", "always"])
async def test_killed_and_started_again_it_goes_on(one, when):
    """Kill -9 at any moment loses nothing and does nothing twice."""

    def killed(moment: str) -> None:
        if when in {moment, "always"}:
            one.kill_process()
            one.start()

    one.held.set(1)
    await one.until(lambda: one.member.protected, "protected")
    killed("before")
    one.group.terminate(one.member.id, decrement=True)
    await one.until(one.is_told, "leave")
    killed("told")
    one.say_left()
    killed("left")

    assert (await one.gone()).left_by == "CONTINUE"
    assert one.service.calls["CompleteLifecycleAction"] == 1
    assert len(one.events("instance.leaving")) == 1


async def test_a_group_that_is_away_is_asked_again(one, tmp_path):
    """Throttled and refused calls are told once, and made until they work."""
    works = one.service._actions["CompleteLifecycleAction"]
    refused = []

    def refuse(asked):
        refused.append(asked)
        raise RuntimeError("a bad day")  # 500

    one.service._actions["CompleteLifecycleAction"] = refuse
    one.say_left()
    one.group.terminate(one.member.id, decrement=True)
    await one.until(lambda: len(refused) >= 4, "more calls than one attempt makes")
    one.service._actions["CompleteLifecycleAction"] = works

    assert (await one.gone()).left_by == "CONTINUE"
    assert [event["what"] for event in one.events("instance.trouble")] == ["hook"]


async def test_a_web_instance_lingers_and_is_never_protected(tmp_path):
    """Its services are told to leave when its balancer knows."""
    async with LookedAfter(tmp_path, IRAAS_INSTANCE_TIER="web", IRAAS_INSTANCE_LINGER="1.5") as one:
        one.held.set(1)
        one.group.set_desired(0, "a test")
        await one.until(one.is_told, "leave")
        assert one.clock.now() - one.member.terminating >= 1.5 * SCALE
        one.say_left()
        await one.gone()
        assert one.service.calls["SetInstanceProtection"] == 0


def test_sigterm_ends_it_at_once_whatever_it_waits_for(tmp_path):
    """Also while metadata does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("IRAAS_", "AWS_"))},
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{mute.getsockname()[1]}",
            "IRAAS_REGION": "us-east-1",
            "IRAAS_INSTANCE_FOLDER": str(tmp_path),
        }
        process = subprocess.Popen([*REAL, "instance"], env=environment, stderr=subprocess.PIPE)
        mute.settimeout(STOP_SECONDS)
        connection, _ = mute.accept()
        process.terminate()

        def is_over() -> bool:
            with suppress(OSError):
                connection.sendall(b"x")  # of an answer without end: no time-out of its own ends the wait
            return process.poll() is not None

        until(is_over, what="its end")
        _, errors = process.communicate()
        connection.close()

    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"IRAAS_INSTANCE_FOLDER": "/nowhere"}, "IRAAS_INSTANCE_FOLDER"),
        ({"IRAAS_REGION": ""}, "no AWS region"),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "169.254.169.254"}, "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
    ],
)
def test_a_wrong_set_up_is_named(tmp_path, settings, named):
    """One line with the mend, and exit code 2."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("IRAAS_", "AWS_"))},
        "IRAAS_REGION": "us-east-1",
        "IRAAS_INSTANCE_FOLDER": str(tmp_path),
        **settings,
    }
    ended = subprocess.run([*REAL, "instance"], env=environment, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert named in ended.stderr.decode()
    assert ended.stderr.count(b"\n") == 1


async def test_it_looks_after_an_instance_in_little_memory(one):
    """It stands beside workers that need the memory."""
    one.held.set(1)
    await one.until(lambda: one.member.protected, "protected")
    assert psutil.Process(one.process.pid).memory_info().rss < 100_000_000  # bytes


FOLLOWED = """#!/bin/sh
echo '{"__CURSOR": "c1", "__REALTIME_TIMESTAMP": "'$(date +%s)'000000", "MESSAGE": "said by a unit"}'
echo "$@" > "$0.asked"
exec sleep 600
"""


async def test_its_journal_goes_to_its_log_group(tmp_path):
    """The units of its tier, to a stream of its name, with its role's credentials; journalctl ends with it."""
    program = tmp_path / "journalctl"
    program.write_text(FOLLOWED)
    program.chmod(0o755)
    with Moto() as moto:
        logs = moto.session().create_client("logs", region_name=moto.region, endpoint_url=moto.endpoint)
        logs.create_log_group(logGroupName="/iraas/t")
        settings = {
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": moto.endpoint,
            "IRAAS_LOG_GROUP": "/iraas/t",
            "IRAAS_WORKERS_PER_INSTANCE": "2",
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
        }

        def streams() -> list[str]:
            found = logs.describe_log_streams(logGroupName="/iraas/t")["logStreams"]
            return [stream["logStreamName"] for stream in found]

        async with LookedAfter(tmp_path, **settings) as one:
            await one.until(streams, "a stream")
            assert streams() == [one.member.id]
            place = {"logGroupName": "/iraas/t", "logStreamName": one.member.id}
            await one.until(lambda: logs.get_log_events(**place)["events"], "a line")
            [event] = logs.get_log_events(**place)["events"]
            assert event["message"] == "said by a unit"
            [journalctl] = psutil.Process(one.process.pid).children()
            assert one.stop() == 0
            await one.until(lambda: not journalctl.is_running(), "the end of journalctl")
        logs.close()
    asked = (tmp_path / "journalctl.asked").read_text().split()
    assert [word.removeprefix("--unit=") for word in asked if word.startswith("--unit=")] == [
        "iraas-worker@01.service",
        "iraas-worker@02.service",
        "iraas-instance.service",
        "iraas-leave.service",
    ]
