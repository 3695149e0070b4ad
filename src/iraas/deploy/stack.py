"""a name -> the stack that is called so: what state it is in, what it has, and what can be done with it now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from botocore.exceptions import ClientError

from iraas.deploy.account import Account
from iraas.deploy.events import Event, Events, follow
from iraas.deploy.refusals import in_words, text_of

Phase = Literal["none", "ready", "busy", "dead", "stuck", "undeleted"]


class State(NamedTuple):
    """What CloudFormation says of a stack."""

    id: str
    status: str
    reason: str
    outputs: dict[str, str]
    parameters: dict[str, str]  # those with NoEcho as ****


class Resource(NamedTuple):
    """Something that a stack made."""

    logical_id: str
    physical_id: str
    kind: str  # as AWS::SQS::Queue
    status: str


def phase(status: str | None) -> Phase:
    """What can be done with a stack of this status (CloudFormation's "Stack status codes").

    none: make it (REVIEW_IN_PROGRESS is a stack that nobody went on with after its change set). ready: update it.
    busy: wait. dead: it can only be deleted. stuck: its rollback must be continued. undeleted: something
    keeps it from being deleted.
    """
    if status in (None, "DELETE_COMPLETE", "REVIEW_IN_PROGRESS"):
        return "none"
    assert status is not None
    if status.endswith("_IN_PROGRESS"):
        return "busy"
    if status in ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        return "dead"
    if status == "UPDATE_ROLLBACK_FAILED":
        return "stuck"
    return "undeleted" if status == "DELETE_FAILED" else "ready"


class Stack:
    """One stack of an account. Raises what `in_words` does."""

    def __init__(
        self,
        account: Account,
        name: str,
        *,
        rest: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self.name = name
        self.rest = rest
        self.clock = clock

    def state(self, stack_id: str = "") -> State | None:
        """What it is like now; None: there is no such stack. A deleted one is found by its id only."""
        client = self.account.client("cloudformation")
        with in_words(f"looking at the stack {self.name}"):
            try:
                [found] = client.describe_stacks(StackName=stack_id or self.name)["Stacks"]
            except ClientError as error:
                if "does not exist" in text_of(error):
                    return None
                raise
        return State(
            found["StackId"],
            found["StackStatus"],
            found.get("StackStatusReason", ""),
            {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])},
            {item["ParameterKey"]: item.get("ParameterValue", "") for item in found.get("Parameters", [])},
        )

    def resources(self, stack_id: str = "") -> list[Resource]:
        """What it has made, and has not removed again."""
        with in_words(f"listing what the stack {self.name} has"):
            items = self.account.pages(
                "cloudformation",
                "list_stack_resources",
                "StackResourceSummaries",
                StackName=stack_id or self.name,
            )
        return [
            Resource(
                item["LogicalResourceId"],
                item.get("PhysicalResourceId", ""),
                item["ResourceType"],
                item["ResourceStatus"],
            )
            for item in items
            if item["ResourceStatus"] != "DELETE_COMPLETE"
        ]

    def physical(self, logical_id: str) -> str:
        """The name that AWS gave a resource that is there and whole; empty: it is not."""
        for resource in self.resources():
            if resource.logical_id == logical_id and resource.status.endswith(
                ("CREATE_COMPLETE", "UPDATE_COMPLETE")
            ):
                return resource.physical_id
        return ""

    def template(self) -> str:
        """The text that it was last made from."""
        with in_words(f"reading the template of the stack {self.name}"):
            body = self.account.client("cloudformation").get_template(
                StackName=self.name, TemplateStage="Original"
            )["TemplateBody"]
        if isinstance(body, str):
            return body
        import json  # the SDK reads JSON templates

        return json.dumps(body)

    def events(self, state: State, *, whole_operation: bool = False) -> Events:
        """Its events from now on, or from the beginning of what is under way."""
        events = Events(self.account, state.id)
        if whole_operation:
            events.skip_earlier_operations()
        else:
            events.skip()
        return events

    def history(self, state: State) -> list[Event]:
        """All that has happened to it, the oldest first."""
        return Events(self.account, state.id).new()

    def failures(self, state: State) -> list[Event]:
        """Why its last operation failed, in the order in which it happened."""
        return [event for event in self.events(state, whole_operation=True).new() if event.is_failure]

    def follow(
        self, state: State, events: Events, on_event: Callable[[Event], object]
    ) -> tuple[str, list[Event]]:
        """Wait until it is at rest -> its status, and what failed."""

        def status() -> str:
            now = self.state(state.id)
            return now.status if now else "DELETE_COMPLETE"

        return follow(events, status, on_event, rest=self.rest, clock=self.clock)

    def delete(self, state: State, on_event: Callable[[Event], object]) -> tuple[str, list[Event]]:
        """Have it deleted, and wait -> DELETE_COMPLETE, or DELETE_FAILED and what failed."""
        events = self.events(state)
        with in_words(f"deleting the stack {self.name}"):
            self.account.client("cloudformation").delete_stack(StackName=self.name)
        return self.follow(state, events, on_event)

    def continue_rollback(self, state: State, on_event: Callable[[Event], object]) -> tuple[str, list[Event]]:
        """Have a rollback that stopped go on, and wait -> UPDATE_ROLLBACK_COMPLETE, or UPDATE_ROLLBACK_FAILED."""
        events = self.events(state)
        with in_words(f"continuing the rollback of the stack {self.name}"):
            self.account.client("cloudformation").continue_update_rollback(StackName=self.name)
        return self.follow(state, events, on_event)
