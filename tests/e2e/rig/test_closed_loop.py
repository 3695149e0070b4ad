"""The template, deployed on the rig: load -> web instances -> queue -> alarms -> instances -> answers -> none again."""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.rig.cloud import Cloud
from tests.rig.loop import Outcome, burst, web_serves, when, write_figures
from tests.rig.machines.choose import Choice
from tests.rig.scenario import MOST_APP, cloud

pytestmark = pytest.mark.timeout(900)
BURST = 1_000  # pictures
PATIENCE = 480.0  # real seconds: a quiet machine takes a tenth of it
HELD = 64  # jobs of a worker that were answered and not deleted yet: eight batches of eight on their way out


def check(outcome: Outcome, cloud: Cloud) -> None:
    """What must be so whatever happened."""
    assert outcome.answered == outcome.right == BURST
    assert outcome.lost == 0
    assert outcome.answer_objects == BURST, "one answer object a job"
    assert outcome.end_capacity == 0
    assert len(outcome.replies) == BURST, "each client waited, so each job has a reply"
    outcome.books.check(outcome.replies)
    decided = "".join(cloud.machines.log(member) for member in cloud.web.roster.everyone)
    assert "scaling.decided" in decided
    assert all(
        "AppOut" in cause or "AppIn" in cause or "AppStarved" in cause for *_, cause in cloud.scaler.moves
    )


def check_drains(cloud: Cloud, *, killed: Collection[str] = ()) -> None:
    """Whoever was not killed left within its hook's time, or, taken by EC2, before that.

    An instance that was told to go while it booted has nothing to say: its boot is real, and the hook fifteen times
    as fast.
    """
    for member in cloud.app.roster.everyone.values():
        said = cloud.machines.log(member.id)
        if member.id in killed or "worker.started" not in said:
            continue
        left = re.search(r'"in_time": (true|false).*"event": "instance.left"', said)
        assert left, f"{member.id} was not heard to leave:\n{said[-3000:]}"
        assert left[1] == "true", f"{member.id} did not drain in time:\n{said[-3000:]}"
        if member.metadata.spot_action is None:
            assert member.left_by == "CONTINUE", f"{member.id}: {member.left_by}\n{said[-3000:]}"


async def test_a_burst_wakes_the_app_tier_and_lets_it_sleep_again(
    choice: Choice, own_sqs: Fauxqs, s3: Seaweedfs
):
    """A thousand pictures at once, and no worker: instances come as the policy says, all is answered, all go."""
    async with cloud(own_sqs, s3, choice) as rig:
        await web_serves(rig)

        outcome = await burst(rig, own_sqs, s3, BURST, patience=PATIENCE)

        write_figures(outcome.figures, choice.kind)
        alone = (
            {"boot_to_answer_s"} if choice.kind == "booted" else set()
        )  # test_boot measures that by itself
        write_figures({"kind": choice.kind} | {k: v for k, v in outcome.figures.items() if k not in alone})
        check(outcome, rig)
        assert 2 <= outcome.peak <= MOST_APP
        assert {("WebGroup", member) for member in rig.web.roster.everyone} <= set(rig.signals.said)
        assert len(rig.signals.said) == len(set(rig.signals.said)), "each says once that it serves"
        assert outcome.replied_twice == 0, "nobody was killed: each job has one reply"
        check_drains(rig)


async def test_nothing_is_lost_when_instances_are_taken_in_the_middle(
    choice: Choice, own_sqs: Fauxqs, s3: Seaweedfs
):
    """A spot interruption, a scale-in and a kill without notice in the middle of the burst: the same answers."""
    killed: list[str] = []

    async def trouble(rig: Cloud) -> None:
        def busy() -> list[str]:
            """Those that asked to be protected, since a worker of theirs holds jobs."""
            return [member.id for member in rig.app.roster.members("InService") if member.protected]

        await when(rig, lambda: len(busy()) >= 3, what="three busy instances", within=PATIENCE)
        spot, scaled_in, dead = busy()[:3]
        rig.app.roster.interrupt(spot)
        rig.app.terminate(scaled_in, decrement=True)
        rig.app.roster.kill(dead)
        killed.append(dead)

    async with cloud(own_sqs, s3, choice) as rig:
        await web_serves(rig)

        outcome = await burst(rig, own_sqs, s3, BURST, patience=PATIENCE, trouble=trouble)

        write_figures(outcome.figures, f"{choice.kind}, with interruptions")
        check(outcome, rig)
        assert killed
        assert outcome.replied_twice <= HELD, "a second reply only after a kill without notice"
        check_drains(rig, killed=killed)
