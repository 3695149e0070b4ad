"""a change set that CloudFormation refused -> which resources it found wrong, and what can be done.

Since November 2025 it looks at names, properties and buckets before anything is made ("Validate stack deployments",
CloudFormation user guide). The change set's own reason names no resource then; its events do.
"""

from __future__ import annotations

from typing import Any

from iraas.deploy.account import Account
from iraas.deploy.refusals import in_words, mend
from iraas.errors import IraasError


def found_wrong(account: Account, change_set: str) -> str:
    """`ArtifactsBucket: ... already exists -> take another name`, for each resource; empty: nothing is known.

    `change_set` is an ARN, since by its name it is not found (aws-cloudformation/cloudformation-cli #1116), and it is
    not deleted yet. Fails in silence: not everybody may ask, and not everything that speaks CloudFormation can answer;
    the change set's own reason is told then.
    """
    try:
        with in_words("asking what was found wrong"):
            events = account.pages(
                "cloudformation",
                "describe_events",
                "OperationEvents",
                ChangeSetName=change_set,
                Filters={"FailedEvents": True},
            )
    except (IraasError, KeyError):  # the SDK raises the latter for an answer that lacks its element
        return ""
    return "; ".join(dict.fromkeys(_in_words(event) for event in events if _refuses(event)))


def _refuses(event: dict[str, Any]) -> bool:
    """Whether it is a reason; a validation that only warns keeps nothing from being made."""
    return (
        event.get("EventType") == "VALIDATION_ERROR"
        and event.get("ValidationStatus") == "FAILED"
        and event.get("ValidationFailureMode") != "WARN"
    )


def _in_words(event: dict[str, Any]) -> str:
    words = event.get("ValidationStatusReason") or event.get("ValidationName", "")
    reason = " ".join(words.split()).rstrip(".")
    what = event.get("LogicalResourceId") or event.get("ValidationPath") or "the template"
    known = mend(reason)
    return f"{what}: {reason} -> {known}" if known else f"{what}: {reason}"
