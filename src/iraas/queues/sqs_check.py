"""A queue's URL -> nothing, or one line that says what is wrong with it and how to mend it. For the start."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from iraas.errors import ConfigurationError
from iraas.queues.sqs_connection import SqsConnection
from iraas.queues.sqs_errors import (
    DENIED,
    EXPIRED,
    NO_CREDENTIALS,
    UNKNOWN_KEY,
    UNREACHABLE,
    VANISHED,
    Refusal,
)

# Calls that change nothing, since what they ask is not valid. As far as is known AWS asks whether a caller may
# before it asks what he wants, so that a denial comes first; one that slips through shows at the first real call.
PROBES: dict[str, tuple[str, dict[str, Any]]] = {
    "SendMessage": ("SendMessageBatch", {"Entries": []}),
    "ReceiveMessage": ("ReceiveMessage", {"MaxNumberOfMessages": 0}),
    "DeleteMessage": ("DeleteMessageBatch", {"Entries": []}),
    "ChangeMessageVisibility": ("ChangeMessageVisibilityBatch", {"Entries": []}),
}
_A_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
_REGION = re.compile(rf"(?:sqs\.(?P<new>{_A_REGION})|(?P<old>{_A_REGION})\.queue)\.")  # at a host's beginning


async def check_queue(connection: SqsConnection, url: str, *, name: str, may: Sequence[str]) -> None:
    """Ask whether the queue is there and this process may do `may` with it: actions of `PROBES`.

    `name` is the setting that has the URL. Raises `ConfigurationError`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.path.count("/") != 2 or parts.path.endswith("/"):
        raise ConfigurationError(
            f"{name} is {url!r}; a queue's URL reads https://sqs.<region>.amazonaws.com/<account>/<queue>"
        )
    found = _REGION.match(parts.hostname or "")
    there = (found["new"] or found["old"]) if found else connection.region
    if there != connection.region:
        raise ConfigurationError(
            f"{name} is a queue in {there}, and this process works in {connection.region}; set IRAAS_REGION={there}, "
            f"or give the URL of a queue in {connection.region}"
        )
    try:
        await connection.ask("GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])
    except Refusal as refusal:
        line = _line(refusal, "GetQueueAttributes", url, connection)
        raise ConfigurationError(f"{name}: {line or f'SQS answers {refusal.code} for {url}'}") from None
    for action in may:
        operation, nonsense = PROBES[action]
        try:
            await connection.ask(operation, QueueUrl=url, **nonsense)
        except Refusal as refusal:
            line = _line(refusal, action, url, connection)
            if line:  # else SQS found fault with what was asked: so asking is allowed
                raise ConfigurationError(f"{name}: {line}") from None


def _line(refusal: Refusal, action: str, url: str, connection: SqsConnection) -> str:
    """What is wrong and how to mend it; nothing where the code is not of these."""
    code = refusal.code
    if code in VANISHED | {"InvalidAddress"}:
        return f"there is no queue {url} in {connection.region}; make it, or correct the URL"
    if code in DENIED:
        return f"sqs:{action} on {refusal.queue} is denied ({code}); allow it in the policy of this process's role"
    if code in NO_CREDENTIALS:
        return (
            f"no AWS credentials were found ({code}); set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run where there is a role"
        )
    if code in EXPIRED:
        return f"the AWS credentials have expired ({code}); renew them, and check this machine's clock"
    if code in UNKNOWN_KEY:
        return f"AWS does not accept these credentials ({code}); check key, secret and region"
    if code in UNREACHABLE:
        return f"{connection.endpoint} cannot be reached ({code}); check the address, the network and its endpoints"
    if (
        code.isdecimal()
        or "Throttl" in code
        or code in {"InternalError", "ServiceUnavailable", "InternalFailure"}
    ):
        return f"SQS answers {code} at {connection.endpoint}; try again later"
    return ""
