"""a stack -> what it does now: queues, instances, alarms, decisions, cost, and whether it answers.

What one may not ask is left out, and said; the rest is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from iraas.deploy.bill import Prices
from iraas.deploy.drain import describe
from iraas.deploy.reach import answers
from iraas.deploy.refusals import NotDone, in_words
from iraas.deploy.spent import Running, Spent, spent
from iraas.deploy.stack import Stack, State
from iraas.errors import ConfigurationError

SHOWN = 5  # activities of each group
LOGGED_SECONDS = 3600.0  # how far back decisions are looked for in the log
QUEUES = {"requests": "RequestQueueUrl", "dead-letters": "DeadLetterQueueUrl"}
GROUPS = {"web": "WebGroup", "app": "AppGroup"}

_T = TypeVar("_T")


class Queue(msgspec.Struct, frozen=True):
    """A queue, as SQS counts it: about."""

    name: str
    visible: int
    in_flight: int


class Alarm(msgspec.Struct, frozen=True):
    """An alarm of the stack, or of its target tracking."""

    name: str
    state: str  # OK, ALARM or INSUFFICIENT_DATA
    reason: str


class Decision(msgspec.Struct, frozen=True):
    """Something that changed the number of instances, or wanted to."""

    at: datetime
    tier: str
    what: str
    status: str = ""  # Auto Scaling's, as Successful


class Status(msgspec.Struct, frozen=True):
    """What there is to say of a deployment."""

    stack: str
    region: str
    status: str
    reason: str
    address: str
    answers: bool  # to GET /livez
    queues: list[Queue]
    instances: dict[str, dict[str, int]]  # by tier and state
    wanted: dict[str, int]  # instances that a group shall have
    alarms: list[Alarm]
    decisions: list[Decision]  # the newest first
    spent: Spent | None  # today, UTC
    unknown: list[str]  # what could not be asked, and why


class _Asking:
    """Asks, and remembers what was refused."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def __call__(self, what: str, ask: Callable[[], _T], otherwise: _T) -> _T:
        try:
            with in_words(f"asking for {what}"):
                return ask()
        except (NotDone, ConfigurationError) as error:
            self.refused.append(f"{what}: {error}")
            return otherwise


def look(stack: Stack, prices: Prices, *, now: datetime | None = None) -> Status:
    """Ask AWS what the stack does. Raises `ConfigurationError` when there is none, and what `in_words` does."""
    state = stack.state()
    if state is None:
        raise ConfigurationError(
            f"there is no stack {stack.name} in {stack.account.region}; say --region, or `iraas deploy {stack.name}`"
        )
    at, ask = now or datetime.now(UTC), _Asking()
    no_groups: dict[str, Any] = {}
    groups = ask("groups", lambda: _groups(stack, state), no_groups)
    none_running: list[Running] = []
    running = ask("instances", lambda: _running(stack, groups), none_running)
    address = state.outputs.get("Address", "")
    return Status(
        stack.name,
        stack.account.region,
        state.status,
        state.reason,
        address,
        bool(address) and answers(address),
        ask("queues", lambda: _queues(stack, state), []),
        {
            tier: dict(Counter(one["LifecycleState"] for one in group["Instances"]))
            for tier, group in groups.items()
        },
        {tier: group["DesiredCapacity"] for tier, group in groups.items()},
        ask("alarms", lambda: _alarms(stack, groups), []),
        _decisions(stack, state, groups, at, ask),
        spent(running, prices, at, balancers=int(bool(address))),
        ask.refused,
    )


def _queues(stack: Stack, state: State) -> list[Queue]:
    found = []
    for name, output in QUEUES.items():
        if output in state.outputs:
            attributes = stack.account.client("sqs").get_queue_attributes(
                QueueUrl=state.outputs[output],
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )["Attributes"]
            numbers = (int(attributes[key]) for key in sorted(attributes))  # ..., ...NotVisible
            found.append(Queue(name, *numbers))
    return found


def _groups(stack: Stack, state: State) -> dict[str, Any]:
    names = {state.outputs[output]: tier for tier, output in GROUPS.items() if output in state.outputs}
    return {names[group["AutoScalingGroupName"]]: group for group in describe(stack.account, list(names))}


def _running(stack: Stack, groups: dict[str, Any]) -> list[Running]:
    ids = [one["InstanceId"] for group in groups.values() for one in group["Instances"]]
    if not ids:
        return []
    reservations = stack.account.pages("ec2", "describe_instances", "Reservations", InstanceIds=ids)
    return [
        Running(one["InstanceType"], one["LaunchTime"], is_spot=one.get("InstanceLifecycle") == "spot")
        for reservation in reservations
        for one in reservation["Instances"]
        if one["State"]["Name"] in ("pending", "running", "shutting-down")
    ]


def _alarms(stack: Stack, groups: dict[str, Any]) -> list[Alarm]:
    ours = [one.physical_id for one in stack.resources() if one.kind == "AWS::CloudWatch::Alarm"]
    found = []
    if ours:
        found += stack.account.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=ours[:100])
    for group in groups.values():  # Auto Scaling names them so ("Target tracking scaling policies")
        prefix = f"TargetTracking-{group['AutoScalingGroupName']}-"
        found += stack.account.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix)
    return [Alarm(one["AlarmName"], one["StateValue"], one.get("StateReason", "")) for one in found]


def _decisions(
    stack: Stack, state: State, groups: dict[str, Any], at: datetime, ask: _Asking
) -> list[Decision]:
    found: list[Decision] = []
    for tier, group in groups.items():
        name = group["AutoScalingGroupName"]
        found += ask(f"activities of {name}", lambda name=name, tier=tier: _activities(stack, tier, name), [])  # type: ignore[misc]
    if log := state.outputs.get("LogGroup"):
        found += ask("the log", lambda: _logged(stack, log, at), [])
    return sorted(found, key=lambda one: one.at, reverse=True)


def _activities(stack: Stack, tier: str, group: str) -> list[Decision]:
    activities = stack.account.client("autoscaling").describe_scaling_activities(
        AutoScalingGroupName=group, MaxRecords=SHOWN
    )["Activities"]
    return [
        Decision(
            one["StartTime"],
            tier,
            " ".join(one.get("Cause", one.get("Description", "")).split()),
            one["StatusCode"],
        )
        for one in activities
    ]


def _logged(stack: Stack, log: str, at: datetime) -> list[Decision]:
    """The controller's own words, of those web processes that changed their mind in the last hour."""
    since = at - timedelta(seconds=LOGGED_SECONDS)
    events = stack.account.pages(
        "logs",
        "filter_log_events",
        "events",
        logGroupName=log,
        startTime=int(since.timestamp() * 1000),
        filterPattern='{ $.event = "scaling.decided" }',
    )
    found = {}
    for event in events:
        try:
            line = msgspec.json.decode(event["message"])
            words = f"{line['before']} -> {line['capacity']}: {line['reason']}"
        except (msgspec.DecodeError, KeyError, TypeError):
            continue
        # Each web process decides for itself, and comes to the same.
        found[words] = Decision(
            datetime.fromtimestamp(event["timestamp"] / 1000, UTC), "app", words, "decided"
        )
    return sorted(found.values(), key=lambda one: one.at)[-SHOWN:]
