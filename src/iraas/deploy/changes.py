"""a template, parameters -> what CloudFormation would change, before it changes anything."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from iraas.deploy.account import Account
from iraas.deploy.refusals import NotDone, in_words
from iraas.deploy.validation import found_wrong
from iraas.errors import IraasError

MAX_TEMPLATE_BYTES = 51_200  # that may be sent in a request (CloudFormation quotas)
LOOK_SECONDS = 2.0
OURS = "iraas-"  # change sets begin with it
# DescribeChangeSet says so when nothing would change; there is no code for it.
_NOTHING = ("didn't contain changes", "No updates are to be performed")

_SILENT = (IraasError, KeyError)  # the SDK raises the latter for an answer that lacks its element

Kind = Literal["CREATE", "UPDATE"]


class Change(NamedTuple):
    """What would happen to one resource."""

    action: str  # Add, Modify, Remove, Import or Dynamic
    logical_id: str
    kind: str  # as AWS::SQS::Queue
    replacement: str  # True, False, Conditional, or empty


class ChangeSet(NamedTuple):
    """Changes that CloudFormation is ready to make; none: there is nothing to do."""

    id: str  # its ARN, which names the stack as well
    stack: str
    stack_id: str
    kind: Kind
    changes: tuple[Change, ...]


def prepare(
    account: Account,
    stack: str,
    kind: Kind,
    template: str,
    parameters: list[dict[str, Any]],
    *,
    tags: Mapping[str, str],
    rest: Callable[[float], None] = time.sleep,
) -> ChangeSet:
    """Have CloudFormation reckon what would change. Earlier change sets of ours that were never executed go.

    Raises `NotDone` when it refuses template, parameters or a resource, in its own words; nothing of the attempt is
    left then.
    """
    forget(account, stack)
    client = account.client("cloudformation")
    name = f"{OURS}{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    with in_words(f"preparing the changes of the stack {stack}"):
        made = client.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateBody=template,
            Parameters=parameters,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            ClientToken=name,  # a repeated request makes no second one
        )
    empty = ChangeSet(made["Id"], stack, made["StackId"], kind, ())
    try:
        status, reason, changes = _described(account, empty, rest)
        if status == "FAILED" and not any(words in reason for words in _NOTHING):
            why = found_wrong(account, empty.id) or " ".join(reason.split())
            raise NotDone(f"CloudFormation refuses the changes: {why}")
    except BaseException:
        discard(account, empty)
        raise
    if status == "FAILED":
        discard(account, empty)
        return empty
    return empty._replace(changes=tuple(changes))


def execute(account: Account, changes: ChangeSet) -> None:
    """Have the changes made. Returns when they have begun."""
    with in_words(f"beginning the changes of the stack {changes.stack}"):
        account.client("cloudformation").execute_change_set(
            ChangeSetName=changes.id, ClientRequestToken=changes.id.split("/")[1]
        )


def discard(account: Account, changes: ChangeSet) -> None:
    """Remove changes that will not be made, and a stack that was only made to hold them. Fails in silence."""
    client = account.client("cloudformation")
    with suppress(*_SILENT), in_words("removing changes"):
        client.delete_change_set(ChangeSetName=changes.id)
        if changes.kind == "CREATE":
            [stack] = client.describe_stacks(StackName=changes.stack_id)["Stacks"]
            if stack["StackStatus"] == "REVIEW_IN_PROGRESS":  # it has nothing, and never had
                client.delete_stack(StackName=changes.stack)


def forget(account: Account, stack: str) -> None:
    """Remove change sets of ours that an earlier call left. Fails in silence: they do no harm."""
    with suppress(*_SILENT), in_words("listing changes"):
        client = account.client("cloudformation")
        for summary in account.pages("cloudformation", "list_change_sets", "Summaries", StackName=stack):
            left = summary.get("ExecutionStatus") in ("AVAILABLE", "UNAVAILABLE", "OBSOLETE")
            if summary["ChangeSetName"].startswith(OURS) and left:
                client.delete_change_set(StackName=stack, ChangeSetName=summary["ChangeSetName"])


def _described(
    account: Account, changes: ChangeSet, rest: Callable[[float], None]
) -> tuple[str, str, list[Change]]:
    """Status, reason, and every page of the changes, once they are reckoned."""
    client = account.client("cloudformation")
    found: list[Change] = []
    more: dict[str, str] = {}
    while True:
        with in_words(f"reading the changes of the stack {changes.stack}"):
            page = client.describe_change_set(ChangeSetName=changes.id, **more)
        if page["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            rest(LOOK_SECONDS)
            continue
        found += [
            _change(item["ResourceChange"]) for item in page.get("Changes", []) if "ResourceChange" in item
        ]
        if not page.get("NextToken"):
            return page["Status"], page.get("StatusReason", ""), found
        more = {"NextToken": page["NextToken"]}


def _change(item: dict[str, Any]) -> Change:
    return Change(
        item.get("Action", ""),
        item.get("LogicalResourceId", ""),
        item.get("ResourceType", ""),
        item.get("Replacement", ""),
    )
