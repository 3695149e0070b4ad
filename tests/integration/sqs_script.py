"""What SQS may answer, line by line, for a scripted server; and a queue that speaks to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.session import Session
from tests.integration.scripted_server import Seen, reply

from iraas.queues.sqs import SqsConnection

REGION = "us-east-1"
SECRET = "wJalrXUtnFEMIsecret"  # in no error of ours


def session() -> Session:
    """With keys that nobody checks."""
    made = Session()
    made.set_credentials("AKIDEXAMPLE", SECRET, "a-session-token")
    return made


def answer(body: Any, status: int = 200, **headers: str) -> Any:
    """A line of the script: SQS's own form."""
    return reply(status, body, Content_Type="application/x-amz-json-1.0", **headers)


def refuse(code: str, status: int = 400) -> Any:
    """A line of the script: an error as SQS's JSON protocol has it, its text full of what must not be quoted."""
    kind, text = f"com.amazonaws.sqs#{code}", f"Signed by {SECRET} with a-session-token"
    return answer({"__type": kind, "message": text}, status, x_amzn_query_error=f"{code};Sender")


def batch(done: str, **faults: tuple[str, bool]) -> Any:
    """A line of the script: which entries of a batch were done, and those that failed: `i3=("Code", ours)`."""
    return answer(
        {
            "Successful": [{"Id": number} for number in done],
            "Failed": [
                {"Id": name[1:], "Code": code, "SenderFault": ours, "Message": f"about {SECRET}"}
                for name, (code, ours) in faults.items()
            ],
        }
    )


def asked(seen: Seen) -> tuple[str, dict[str, Any]]:
    """A request's operation and parameters."""
    return seen.headers["X-Amz-Target"].rpartition(".")[2], json.loads(seen.body)


@contextmanager
def connected(url: str, **options: Any) -> Iterator[SqsConnection]:
    """A connection to the server."""
    connection = SqsConnection(session(), region=REGION, endpoint=url, **options)
    try:
        yield connection
    finally:
        connection.close()
