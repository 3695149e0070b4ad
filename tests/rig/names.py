"""logical id, attribute -> what a stack of the rig calls it: URLs of the stand-ins, and ARNs as AWS forms them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACCOUNT = "000000000000"

QUEUES = {"RequestQueue": "requests", "DeadLetterQueue": "dead-letters"}
BUCKETS = {"InputBucket": "inputs", "ResultBucket": "results", "ArtifactsBucket": "artifacts"}
GROUPS = {"AppGroup": "app", "WebGroup": "web"}


class StackNames:
    """The names of one stack, for `tests.rig.template.resolve`."""

    def __init__(self, stack: str, *, region: str, sqs_endpoint: str) -> None:
        self._stack, self._region, self._sqs = stack, region, sqs_endpoint

    def __call__(self, logical: str, attribute: str | None) -> Any:
        """A Ref (no attribute), or an attribute."""
        if logical in QUEUES:
            name = f"{self._stack}-{QUEUES[logical]}"
            return {
                None: f"{self._sqs}/{ACCOUNT}/{name}",
                "QueueName": name,
                "Arn": f"arn:aws:sqs:{self._region}:{ACCOUNT}:{name}",
            }[attribute]
        if logical in BUCKETS:
            name = f"{self._stack}-{ACCOUNT}-{BUCKETS[logical]}"
            return name if attribute is None else f"arn:aws:s3:::{name}"
        if logical in GROUPS:
            return f"{self._stack}-{GROUPS[logical]}"
        if logical == "ApiKeysSecret":
            return f"arn:aws:secretsmanager:{self._region}:{ACCOUNT}:secret:{self._stack}-api-keys-abcdef"
        if logical == "LogGroup":
            return f"/iraas/{self._stack}"
        return logical if attribute is None else f"{logical}.{attribute}"

    @property
    def pseudo(self) -> Mapping[str, Any]:
        """AWS::Region and its kind."""
        return {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": self._region,
            "AWS::StackId": f"arn:aws:cloudformation:{self._region}:{ACCOUNT}:stack/{self._stack}/1",
            "AWS::StackName": self._stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
