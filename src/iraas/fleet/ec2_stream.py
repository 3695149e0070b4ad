"""lines of a journal -> batches -> a CloudWatch log stream.

What a batch may be: CloudWatch Logs API Reference, PutLogEvents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from iraas.errors import BackendUnavailable

MOST_BYTES = 1_048_576  # of a batch: its messages in UTF-8, and
EACH_BYTES = 26  # more for each line
MOST_LINES = 10_000
MOST_SPAN_MS = 24 * 3_600_000 - 1_000  # between the oldest and the newest of a batch
LONGEST_BYTES = MOST_BYTES - EACH_BYTES  # of a line; what is longer is cut
ATTEMPTS = 2
READ_SECONDS = 10.0


class Line(NamedTuple):
    """A line of the journal."""

    at_ms: int  # since 1970-01-01T00:00Z
    message: str
    cursor: str  # the line's place in the journal

    @property
    def size(self) -> int:
        """Bytes of a batch that it takes."""
        return len(self.message.encode()) + EACH_BYTES


def fitting(lines: Sequence[Line]) -> int:
    """How many lines from the first one fit into one batch."""
    size, earliest, latest = 0, lines[0].at_ms, lines[0].at_ms
    for count, line in enumerate(lines[:MOST_LINES]):
        size += line.size
        earliest, latest = min(earliest, line.at_ms), max(latest, line.at_ms)
        if count and (size > MOST_BYTES or latest - earliest > MOST_SPAN_MS):
            return count
    return min(len(lines), MOST_LINES)


def cut(message: str) -> str:
    """A message that fits into a batch of its own."""
    encoded = message.encode("utf-8", "replace")  # half a surrogate cannot be sent
    return encoded[:LONGEST_BYTES].decode("utf-8", "ignore")


class Unsendable(Exception):
    """CloudWatch Logs will never take these lines."""


class LogStream:
    """A stream of a log group that exists; made when it is first written to."""

    def __init__(self, connect: Callable[[], Any], *, group: str, name: str) -> None:
        self._connect = connect
        self._place = {"logGroupName": group, "logStreamName": name}
        self._client: Any = None

    def put(self, lines: Sequence[Line]) -> int:
        """Send one batch; how many of it were refused as too old or too new.

        Raises `BackendUnavailable` when trying again may help, and `Unsendable` when it will not.
        """
        events = sorted(({"timestamp": line.at_ms, "message": line.message} for line in lines), key=_time)
        try:
            answer = self._call("put_log_events", logEvents=events)
        except _Missing:
            self._make()
            answer = self._call("put_log_events", logEvents=events)
        return _refused(answer.get("rejectedLogEventsInfo") or {}, len(events))

    def _make(self) -> None:
        self._call("create_log_stream")

    def _call(self, call: str, **parameters: Any) -> dict[str, Any]:
        try:
            if self._client is None:
                self._client = self._connect()
            answer: dict[str, Any] = getattr(self._client, call)(**self._place, **parameters)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ResourceAlreadyExistsException":  # by an earlier life of this process
                return {}
            if code == "ResourceNotFoundException" and call == "put_log_events":
                raise _Missing from None
            if code == "InvalidParameterException":
                raise Unsendable(str(error)) from None
            raise BackendUnavailable(f"CloudWatch Logs: {error}") from None
        except (BotoCoreError, ResponseParserError, ValueError) as error:
            if isinstance(error, NoCredentialsError):
                self._client = None
            raise BackendUnavailable(f"CloudWatch Logs: {error}") from None
        return answer


class _Missing(BackendUnavailable):
    """The stream is not there, or its group is not."""


def _time(event: dict[str, Any]) -> int:
    at: int = event["timestamp"]
    return at


def _refused(info: dict[str, int], sent: int) -> int:
    """Of a batch in order of time, the first ones may be too old, and the last ones too new."""
    old = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    return old + sent - info.get("tooNewLogEventStartIndex", sent)
