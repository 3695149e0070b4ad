"""a stack at work -> its events as they come, until it has come to rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from iraas.deploy.account import Account
from iraas.deploy.refusals import Unreachable, in_words, mend

LOOK_SECONDS = 3.0  # between two looks; DescribeStackEvents is throttled for the whole account
LOST_SECONDS = 90.0  # without a network, until the wait is given up; AWS goes on meanwhile
SETTLE_LOOKS = 5  # at a stack that is at rest still: what was asked for begins a moment later
BEGUN = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}


class Event(NamedTuple):
    """Something that happened to a resource, or to the stack."""

    id: str
    logical_id: str
    kind: str  # as AWS::SQS::Queue
    status: str  # as CREATE_COMPLETE
    reason: str
    of_stack: bool  # about the stack itself
    time: datetime

    @property
    def is_failure(self) -> bool:
        """Whether it tells why something failed; that others were cancelled then tells nothing."""
        return self.status.endswith("_FAILED") and "cancelled" not in self.reason

    def in_words(self) -> str:
        """One line, with the mend if it is a failure and one is known."""
        line = f"{self.logical_id} ({self.kind}) {self.status}"
        if self.reason:
            line += f": {' '.join(self.reason.split()).rstrip('.')}"
        known = mend(self.reason) if self.is_failure else ""
        return f"{line} -> {known}" if known else line


class Events:
    """What is new in a stack's events each time that one looks. Raises what `in_words` does."""

    def __init__(self, account: Account, stack_id: str) -> None:
        self._account = account
        self._stack_id = stack_id
        self._seen: set[str] = set()

    def skip(self) -> None:
        """Pass over what has happened until now."""
        self._seen |= {event.id for event in self._pages(lambda _event: False)}

    def skip_earlier_operations(self) -> None:
        """Pass over what was before the operation that is under way."""
        begins = False
        for event in self._pages(lambda _event: False):  # the newest first
            if begins:
                self._seen.add(event.id)
            begins = begins or (event.of_stack and event.status in BEGUN)

    def new(self) -> list[Event]:
        """What nobody has seen, in the order in which it happened."""
        fresh = [
            event for event in self._pages(lambda event: event.id in self._seen) if event.id not in self._seen
        ]
        self._seen |= {event.id for event in fresh}
        return fresh[::-1]

    def _pages(self, known: Callable[[Event], bool]) -> list[Event]:
        """Page after page, the newest first, until one that is known."""
        found: list[Event] = []
        with in_words("reading the stack's events"):
            client = self._account.client("cloudformation")
            more: dict[str, str] = {}
            while True:
                page = client.describe_stack_events(StackName=self._stack_id, **more)
                events = [_event(item) for item in page["StackEvents"]]
                found += events
                if not page.get("NextToken") or any(map(known, events)):
                    return found
                more = {"NextToken": page["NextToken"]}


def _event(item: dict[str, Any]) -> Event:
    kind = item.get("ResourceType", "")
    of_stack = kind == "AWS::CloudFormation::Stack" and item.get("PhysicalResourceId") in (
        "",
        None,
        item["StackId"],
    )
    return Event(
        item["EventId"],
        item.get("LogicalResourceId", ""),
        kind,
        item.get("ResourceStatus", ""),
        item.get("ResourceStatusReason", ""),
        of_stack,
        item["Timestamp"],
    )


def follow(
    events: Events,
    status: Callable[[], str],
    on_event: Callable[[Event], object],
    *,
    rest: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[str, list[Event]]:
    """Look until the stack is at rest again -> its status, and what failed on the way.

    A network that is away for less than `LOST_SECONDS` is waited for. Raises `Unreachable` after that.
    """
    failures: list[Event] = []
    answered = clock()
    begun, looks = False, 0
    while True:
        try:
            now = status()  # first: events that end it are then there already
            fresh = events.new()
        except Unreachable:
            if clock() - answered > LOST_SECONDS:
                raise
        else:
            answered = clock()
            for event in fresh:
                if event.is_failure:
                    failures.append(event)
                begun |= event.of_stack
                on_event(event)
            looks += 1
            if not now.endswith("_IN_PROGRESS") and (begun or looks >= SETTLE_LOOKS):
                return now, failures
        rest(LOOK_SECONDS)
