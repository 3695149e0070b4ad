"""What one call to CloudWatch Logs may carry."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from iraas.errors import BackendUnavailable
from iraas.fleet.ec2_journal import line_of
from iraas.fleet.ec2_stream import LONGEST_BYTES, Line, LogStream, Unsendable, cut, fitting

HOUR_MS = 3_600_000


def lines(*messages: str, every_ms: int = 1) -> list[Line]:
    """Lines, one after the other."""
    return [Line(1_000_000 + n * every_ms, message, f"c{n}") for n, message in enumerate(messages)]


@pytest.mark.parametrize(
    ("batch", "fits"),
    [
        (lines("one"), 1),
        (lines(*["x"] * 9_999), 9_999),
        (lines(*["x"] * 10_001), 10_000),
        (lines(*["x" * 999_974, "y" * (1_048_576 - 1_000_000 - 26)]), 2),
        (lines(*["x" * 999_974, "y" * (1_048_576 - 1_000_000 - 25)]), 1),
        (lines("ä" * 524_275, "x"), 1),  # bytes, not characters
        (lines("x" * LONGEST_BYTES, "x"), 1),
        (lines(*["x"] * 30, every_ms=HOUR_MS), 24),
        (lines(*["x"] * 30, every_ms=-HOUR_MS), 24),  # the clock was set
    ],
    ids=["one", "many", "too many", "full", "too large", "umlauts", "the longest", "a day", "a day back"],
)
def test_a_batch_is_as_large_as_it_may_be(batch, fits):
    """1,048,576 bytes with 26 for each line, 10,000 lines, less than 24 hours."""
    assert fitting(batch) == fits


def test_a_long_message_is_cut_between_characters():
    """What is left is valid UTF-8, and fits into a batch of its own."""
    assert cut("short") == "short"
    assert len(cut("x" * 2_000_000)) == LONGEST_BYTES
    assert set(cut("€" * 1_000_000)) == {"€"}
    assert len(cut("€" * 1_000_000).encode()) <= LONGEST_BYTES
    assert cut("half \ud800") == "half ?"


class Logs:
    """A client that answers as it is told, in order; at the end it takes everything."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls: list[str] = []
        self.events: list[dict[str, object]] = []

    def put_log_events(self, **parameters):
        assert (parameters["logGroupName"], parameters["logStreamName"]) == ("group", "i-1")
        self.events = parameters["logEvents"]
        return self._next("put")

    def create_log_stream(self, **parameters):
        assert parameters == {"logGroupName": "group", "logStreamName": "i-1"}
        return self._next("create")

    def _next(self, call):
        self.calls.append(call)
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, str):
            raise ClientError({"Error": {"Code": answer, "Message": ""}}, call)
        if isinstance(answer, Exception):
            raise answer
        return answer


def stream(logs: Logs) -> LogStream:
    """A stream of that client."""
    return LogStream(lambda: logs, group="group", name="i-1")


def test_lines_are_sent_in_order_of_time():
    """The journal's order is not always that; CloudWatch asks for it."""
    logs = Logs()
    assert stream(logs).put([Line(3, "c", ""), Line(1, "a", ""), Line(2, "b", "")]) == 0
    assert [event["message"] for event in logs.events] == ["a", "b", "c"]


@pytest.mark.parametrize("made", [{}, "ResourceAlreadyExistsException"])
def test_a_stream_is_made_when_it_is_missing(made):
    """Once; another process may have been faster."""
    logs = Logs("ResourceNotFoundException", made)
    assert stream(logs).put(lines("one")) == 0
    assert logs.calls == ["put", "create", "put"]


@pytest.mark.parametrize(
    "answers",
    [
        ["ResourceNotFoundException", "ResourceNotFoundException"],
        ["ResourceNotFoundException", {}, "ResourceNotFoundException"],
        ["ThrottlingException"],
        ["AccessDeniedException"],
        [EndpointConnectionError(endpoint_url="http://x")],
    ],
    ids=["no group", "no group yet", "throttled", "denied", "away"],
)
def test_what_may_get_better_is_tried_again(answers):
    """A group that is missing too: somebody may make it."""
    with pytest.raises(BackendUnavailable):
        stream(Logs(*answers)).put(lines("one"))


def test_what_will_never_be_taken_is_said_to_be():
    """Or it would be sent for ever."""
    with pytest.raises(Unsendable):
        stream(Logs("InvalidParameterException")).put(lines("one"))


def test_a_client_without_credentials_is_made_anew():
    """Soon after the start of an instance its role may not be known yet."""
    logs = [Logs(NoCredentialsError()), Logs()]
    own = LogStream(lambda: logs.pop(0), group="group", name="i-1")
    with pytest.raises(BackendUnavailable):
        own.put(lines("one"))
    assert own.put(lines("one")) == 0


@pytest.mark.parametrize(
    ("info", "refused"),
    [
        ({}, 0),
        ({"tooOldLogEventEndIndex": 2}, 2),
        ({"expiredLogEventEndIndex": 3, "tooOldLogEventEndIndex": 2}, 3),
        ({"tooNewLogEventStartIndex": 4}, 1),
        ({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 4}, 2),
    ],
)
def test_lines_that_were_refused_are_counted(info, refused):
    """The first may be too old, the last too new."""
    assert stream(Logs({"rejectedLogEventsInfo": info})).put(lines(*"abcde")) == refused


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"MESSAGE": '{"event": "worker.started"}'}, '{"event": "worker.started"}'),
        ({"MESSAGE": [104, 105, 255]}, "hi\ufffd"),
        ({"MESSAGE": None}, None),
        ({"MESSAGE": ""}, None),
        ({"MESSAGE": 7}, None),
        ({}, None),
        ({"MESSAGE": "x", "__REALTIME_TIMESTAMP": "soon"}, None),
    ],
)
def test_a_record_of_the_journal_is_sent_as_it_is(fields, message):
    """Text as text, bytes as text; what has none is passed over."""
    line = line_of(
        json.dumps({"__CURSOR": "c", "__REALTIME_TIMESTAMP": "1700000000123456"} | fields).encode()
    )
    assert line == (None if message is None else Line(1_700_000_000_123, message, "c"))


def test_what_is_no_record_is_passed_over():
    """Whatever journalctl prints."""
    assert [line_of(nonsense) for nonsense in (b"", b"{", b"[]", b"-- No entries --")] == [None] * 4
