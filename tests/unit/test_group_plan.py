"""iraas.wiring.group: which policy a deployment follows, and who runs it."""

from __future__ import annotations

import math

import pytest

from iraas.clock import SystemClock
from iraas.errors import ConfigurationError
from iraas.queues.port import Depth
from iraas.scaling.policies.staffing import Staffing
from iraas.settings import Settings
from iraas.wiring.backend import Sight
from iraas.wiring.group import GroupFleet, group_plan

STEPS = """
maximum = 5
[policy]
kind = "step-alarms"
out_when = {{ metric = "{metric}", threshold = 10.0, comparison = ">" }}
in_when = {{ metric = "{metric}", threshold = 1.0, comparison = "<" }}
out = {{ steps = [{{ change = 1, lower = 0 }}] }}
back = {{ steps = [{{ change = -1, upper = 0 }}] }}
"""
BOTH = """
maximum = 5
[policy]
kind = "combined"
[[policy.parts]]
kind = "step-alarms"
out_when = { metric = "visible", threshold = 10.0, comparison = ">" }
in_when = { metric = "visible", threshold = 1.0, comparison = "<" }
out = { steps = [{ change = 1, lower = 0 }] }
back = { steps = [{ change = -1, upper = 0 }] }
[[policy.parts]]
kind = "simple-alarms"
out_when = { metric = "cpu", threshold = 0.5, comparison = ">" }
in_when = { metric = "cpu", threshold = 0.1, comparison = "<" }
out = { change = 1 }
back = { change = -1 }
"""


class Unasked:
    """A service that nobody should ask while things are put together."""

    async def call(self, operation, **parameters):
        raise AssertionError(operation)


def settings(tmp_path, text: str = "") -> Settings:
    """A deployment with this policy file."""
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return Settings(
        backend="aws",
        request_queue_url="u",
        dead_letter_queue_url="u",
        input_bucket="b",
        result_bucket="b",
        app_group="app",
        policy=str(path) if text else "",
    )


def tasks(settings: Settings) -> set[str]:
    """What a web process does for the group."""

    async def nothing() -> int:
        return 0

    async def empty() -> Depth:
        return Depth(0, 0, 0.0)

    group = GroupFleet(settings, SystemClock())
    sight = Sight(depth=empty, accepted=lambda: 0, service_seconds=lambda: math.nan)
    return set(group.background(sight, cloudwatch=Unasked(), auto_scaling=Unasked(), waiting=nothing))


def test_without_a_file_it_is_ours_and_the_controller_runs_it(tmp_path):
    """The default plan of a deployment: our own policy, from none to ten instances."""
    plan = group_plan(settings(tmp_path))
    assert (plan.minimum, plan.maximum, plan.policy) == (0, 10, Staffing())
    assert tasks(settings(tmp_path)) == {"metrics", "scaling"}


def test_a_policy_of_alarms_runs_without_a_controller(tmp_path):
    """Metrics are published all the same, and the page shows bounds and title."""
    known = settings(tmp_path, STEPS.format(metric="oldest_age"))
    assert tasks(known) == {"metrics"}
    report = GroupFleet(known, SystemClock()).fleet.report()
    assert report.maximum == 5
    assert "steps on oldest age" in str(report.policy)


def test_a_part_that_nobody_can_see_is_refused(tmp_path):
    """A controller without processors' load would never let go; the line names file, metric and mend."""
    with pytest.raises(ConfigurationError, match=r"policy\.toml.* watches cpu, .*leave that part out"):
        group_plan(settings(tmp_path, BOTH))


def test_a_policy_file_that_is_wrong_is_named(tmp_path):
    """As on one machine."""
    with pytest.raises(ConfigurationError, match=r"policy\.toml: .*kind"):
        group_plan(settings(tmp_path, 'maximum = 5\n[policy]\nkind = "wishes"\n'))
