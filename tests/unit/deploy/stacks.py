"""CloudFormation in memory: one stack, whose operations take their time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from tests.unit.deploy.aws import Aws, refused

VALIDATION_FAILED = (  # word for word, from https://github.com/aws-cloudformation/rain/pull/744
    "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early "
    "Validation errors, use the DescribeEvents API for detailed failure information."
)


class Stacks:
    """CloudFormation for one stack, whose operations take their time: `rest` is a moment in which something happens."""

    def __init__(self, aws: Aws, name: str = "photos") -> None:
        self.aws = aws
        self.name = name
        self.number = 0  # of stacks of this name
        self.status: str | None = None
        self.events: list[dict[str, Any]] = []  # the oldest first
        self.resources: dict[str, tuple[str, str]] = {}  # logical id -> kind, status
        self.physical: dict[str, str] = {}  # names of resources, where they are not made up
        self.outputs = {"Address": "http://balancer.example"}
        self.parameters: list[dict[str, str]] = []
        self.template = "{}"
        self.change_sets: dict[str, dict[str, Any]] = {}
        self.changes: list[dict[str, str]] = [change("Add", "ArtifactsBucket", "AWS::S3::Bucket")]
        self.wrong: list[
            dict[str, str]
        ] = []  # what a change set's validation found, as DescribeEvents says it
        self.reckoning = 1  # looks until a change set is reckoned
        self.pending: list[Callable[[], object]] = []  # what happens, one at each `rest`
        self.on_execute: list[Callable[[], object]] = []
        self.on_delete: list[Callable[[], object]] = [lambda: self.ends("DELETE_COMPLETE")]
        self.time = datetime(2026, 11, 22, tzinfo=UTC)  # of what happens
        self.page = 100  # events, changes or resources on a page
        self.rests = 0
        for operation in (
            "DescribeStacks", "DescribeStackEvents", "ListStackResources", "CreateChangeSet", "DescribeChangeSet",
            "ExecuteChangeSet", "DeleteChangeSet", "ListChangeSets", "DeleteStack", "ContinueUpdateRollback",
            "GetTemplate", "DescribeEvents",
        ):  # fmt: skip
            aws.on("cloudformation", operation, getattr(self, f"_{operation}"))

    @property
    def id(self) -> str:
        """The ARN of the stack that is there now."""
        return f"arn:aws:cloudformation:us-east-1:123456789012:stack/{self.name}/{self.number}"

    def rest(self, _seconds: float) -> None:
        """Time passes."""
        self.rests += 1
        assert self.rests < 500, "it waits for ever"
        if self.pending:
            self.pending.pop(0)()

    def begins(self, status: str) -> None:
        """The stack is at work."""
        if self.status is None:
            self.number += 1
        self.status = status
        self.event(self.name, "AWS::CloudFormation::Stack", status)

    def ends(self, status: str) -> None:
        """The stack comes to rest."""
        self.event(self.name, "AWS::CloudFormation::Stack", status)
        self.status = status

    def happens(self, logical_id: str, status: str, reason: str = "", kind: str = "AWS::S3::Bucket") -> None:
        """Something about a resource."""
        self.resources[logical_id] = (kind, status)
        self.event(logical_id, kind, status, reason)

    def event(self, logical_id: str, kind: str, status: str, reason: str = "") -> None:
        """A line of the stack's events."""
        physical = self.id if kind == "AWS::CloudFormation::Stack" else f"{self.name}-{logical_id.lower()}"
        self.events.append(
            {
                "StackId": self.id,
                "StackName": self.name,
                "EventId": str(len(self.events)),
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": physical,
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
                "Timestamp": self.time,
            }
        )

    def _missing(self, name: str) -> ClientError:
        return refused("ValidationError", f"Stack with id {name} does not exist")

    def _DescribeStacks(self, StackName: str) -> dict[str, Any]:  # noqa: N802, N803 - AWS's names
        gone = self.status in (None, "DELETE_COMPLETE") or StackName not in (self.name, self.id)
        if self.status is None or (gone and StackName != self.id):
            raise self._missing(StackName)
        return {
            "Stacks": [
                {
                    "StackId": self.id,
                    "StackName": self.name,
                    "StackStatus": self.status,
                    "CreationTime": "2026-11-22T00:00:00Z",
                    "Outputs": [
                        {"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()
                    ],
                    "Parameters": [
                        {**one, "ParameterValue": "****"} if one["ParameterKey"] == "ApiKeys" else one
                        for one in self.parameters
                    ],
                }
            ]
        }

    def _DescribeStackEvents(self, StackName: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N802, N803
        newest = [one for one in self.events if one["StackId"] == StackName][::-1]
        return self._page("StackEvents", newest, NextToken)

    def _ListStackResources(self, StackName: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N802, N803
        found = [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": self.physical.get(name, f"{self.name}-{name.lower()}"),
                "ResourceType": kind,
                "ResourceStatus": status,
                "LastUpdatedTimestamp": "2026-11-22T00:00:00Z",
            }
            for name, (kind, status) in self.resources.items()
        ]
        return self._page("StackResourceSummaries", found, NextToken)

    def _CreateChangeSet(self, **asked: Any) -> dict[str, Any]:  # noqa: N802
        new = asked["ChangeSetType"] == "CREATE"
        assert new == (self.status in (None, "DELETE_COMPLETE", "REVIEW_IN_PROGRESS")), self.status
        if new and self.status != "REVIEW_IN_PROGRESS":
            self.status = None
            self.resources = {}
            self.begins("REVIEW_IN_PROGRESS")
        arn = f"arn:aws:cloudformation:us-east-1:123456789012:changeSet/{asked['ChangeSetName']}/1"
        self.change_sets[arn] = {**asked, "looks": 0, "ExecutionStatus": "AVAILABLE"}
        return {"Id": arn, "StackId": self.id}

    def _DescribeChangeSet(self, ChangeSetName: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N802, N803
        found = self.change_sets[ChangeSetName]
        found["looks"] += 1
        if found["looks"] <= self.reckoning:
            return {"Status": "CREATE_IN_PROGRESS"}
        if self.wrong:
            return {"Status": "FAILED", "StatusReason": VALIDATION_FAILED}
        if not self.changes:
            return {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}
        page = self._page("Changes", [{"ResourceChange": one} for one in self.changes], NextToken)
        return {"Status": "CREATE_COMPLETE", **page}

    def _DescribeEvents(  # noqa: N802
        self,
        ChangeSetName: str,  # noqa: N803
        Filters: dict[str, bool],  # noqa: N803
        NextToken: str = "0",  # noqa: N803
    ) -> dict[str, Any]:
        assert Filters == {"FailedEvents": True}
        if ChangeSetName not in self.change_sets:  # found by its ARN, and while it is there
            raise refused(
                "ValidationError", "One of ChangeSetName, OperationId or StackName must be specified"
            )
        return self._page("OperationEvents", self.wrong, NextToken)

    def _ExecuteChangeSet(self, **asked: Any) -> dict[str, Any]:  # noqa: N802
        found = self.change_sets.pop(asked["ChangeSetName"])
        had = {one["ParameterKey"]: one for one in self.parameters}
        self.parameters = [
            had[one["ParameterKey"]] if one.get("UsePreviousValue") else one for one in found["Parameters"]
        ]
        self.template = found["TemplateBody"]
        self.pending += [lambda: self.begins(f"{found['ChangeSetType']}_IN_PROGRESS"), *self.on_execute]
        return {}

    def _DeleteChangeSet(self, ChangeSetName: str, **_: Any) -> dict[str, Any]:  # noqa: N802, N803
        self.change_sets.pop(ChangeSetName, None)
        for arn in [arn for arn in self.change_sets if f"changeSet/{ChangeSetName}/" in arn]:
            del self.change_sets[arn]
        return {}

    def _ListChangeSets(self, StackName: str) -> dict[str, Any]:  # noqa: N802, N803
        if self.status is None:
            raise self._missing(StackName)
        return {
            "Summaries": [
                {"ChangeSetName": arn.split("/")[1], "ExecutionStatus": one["ExecutionStatus"]}
                for arn, one in self.change_sets.items()
            ]
        }

    def _DeleteStack(self, StackName: str) -> dict[str, Any]:  # noqa: N802, N803
        assert StackName == self.name
        if self.status == "REVIEW_IN_PROGRESS":
            self.status = "DELETE_COMPLETE"
            return {}
        self.pending += [lambda: self.begins("DELETE_IN_PROGRESS"), *self.on_delete]
        return {}

    def _ContinueUpdateRollback(self, StackName: str) -> dict[str, Any]:  # noqa: N802, N803
        self.pending += [
            lambda: self.begins("UPDATE_ROLLBACK_IN_PROGRESS"),
            lambda: self.ends("UPDATE_ROLLBACK_COMPLETE"),
        ]
        return {}

    def _GetTemplate(self, **_: Any) -> dict[str, Any]:  # noqa: N802
        return {"TemplateBody": self.template}

    def _page(self, key: str, items: list[Any], token: str) -> dict[str, Any]:
        start = int(token)
        end = start + self.page
        return {key: items[start:end], **({"NextToken": str(end)} if end < len(items) else {})}


def change(action: str, logical_id: str, kind: str, replacement: str = "False") -> dict[str, str]:
    """A line of a change set."""
    return {
        "Action": action,
        "LogicalResourceId": logical_id,
        "ResourceType": kind,
        "Replacement": replacement,
    }
