"""What goes wrong between us and SQS, on the wire: what is tried again, what is not, and what is said of it."""

import asyncio
import socket
import time
from contextlib import ExitStack

import pytest
from tests.integration.scripted_server import babble, cut, hang_up, keep_silent, reset, serving
from tests.integration.sqs_script import SECRET, answer, asked, batch, connected, refuse

from iraas.errors import BackendUnavailable, QueueVanished
from iraas.queues import sqs_batch, sqs_connection
from iraas.queues.port import Message
from iraas.queues.sqs import SqsQueue

DONE = batch("0")


class Sqs:
    """A script, and the queue that meets it."""

    def __init__(self, opened):
        self._opened = opened
        self.requests = []  # operations, as `on_request` heard them

    def will(self, *script):
        """The queue at a server that does this."""
        self.server = self._opened.enter_context(serving(*script))
        self.connection = self._opened.enter_context(
            connected(self.server.url, on_request=self.requests.append)
        )
        return SqsQueue(self.connection, f"{self.server.url}/123456789012/requests", visibility_timeout=30)

    def asked(self):
        """What came, in order."""
        return [asked(seen) for seen in self.server.seen]


@pytest.fixture
def sqs(monkeypatch):
    """With short pauses, and a patience that no busy machine outlasts."""
    monkeypatch.setattr(sqs_batch, "PAUSE_SECONDS", (0.01, 0.01, 0.01))
    monkeypatch.setattr(sqs_connection, "READ_SECONDS", 60.0)
    with ExitStack() as opened:
        yield Sqs(opened)


async def test_what_sqs_failed_at_is_sent_again_and_nothing_else(sqs):
    """Of a batch that failed in part, only the failed entries go again."""
    queue = sqs.will(batch("0134", i2=("InternalError", False)), batch("2"))
    await queue.send([Message(b"%d" % number) for number in range(5)])

    assert [
        (operation, [entry["MessageBody"] for entry in parameters["Entries"]])
        for operation, parameters in sqs.asked()
    ] == [("SendMessageBatch", ["0", "1", "2", "3", "4"]), ("SendMessageBatch", ["2"])]


async def test_an_entry_that_was_not_answered_is_sent_again(sqs):
    """Neither done nor failed is not done."""
    queue = sqs.will(batch("0"), batch("1"))
    await queue.send([Message(b"a"), Message(b"b")])
    assert len(sqs.server.seen) == 2


async def test_there_is_a_bound_to_trying_again(sqs):
    """SQS that keeps failing at an entry is unavailable, and the line says at what."""
    queue = sqs.will(*[batch("", i0=("InternalError", False))] * 4)
    with pytest.raises(BackendUnavailable, match="SendMessageBatch on requests: InternalError"):
        await queue.send([Message(b"a")])


async def test_what_sqs_does_not_take_is_told_at_once_to_its_sender(sqs):
    """A message that is refused is a `ValueError` of its own call, and no other in the request suffers."""
    queue = sqs.will(batch("0", i1=("InvalidMessageContents", True)))
    good, bad = await asyncio.gather(
        queue.send([Message(b"good")]), queue.send([Message(b"bad")]), return_exceptions=True
    )
    assert good is None
    assert isinstance(bad, ValueError)
    assert str(bad) == "SQS: SendMessageBatch on requests: InvalidMessageContents"


async def test_a_key_that_may_not_be_used_is_no_fault_of_the_message(sqs):
    """An entry refused for want of a permission means that the queue cannot be used."""
    queue = sqs.will(batch("", i0=("KmsAccessDenied", True)))
    with pytest.raises(BackendUnavailable, match="KmsAccessDenied"):
        await queue.send([Message(b"job")])


@pytest.mark.parametrize(
    "code", ["ReceiptHandleIsInvalid", "InvalidParameterValue", "AWS.SimpleQueueService.MessageNotInflight"]
)
async def test_stale_receipts_are_passed_over(sqs, code):
    """A receipt that SQS knows no more hinders no other, and is not asked about again."""
    lines = batch("1", i0=(code, True))
    queue = sqs.will(lines, lines, lines)
    await queue.delete(["stale", "good"])
    await queue.extend(["stale", "good"], seconds=1.2)
    await queue.release(["stale", "good"])
    assert [
        (operation, [entry.get("VisibilityTimeout") for entry in parameters["Entries"]])
        for operation, parameters in sqs.asked()
    ] == [
        ("DeleteMessageBatch", [None, None]),
        ("ChangeMessageVisibilityBatch", [2, 2]),
        ("ChangeMessageVisibilityBatch", [0, 0]),
    ]


async def test_a_receipt_that_sqs_fails_at_is_tried_again(sqs):
    """SQS's own fault in a heartbeat is not taken for a stale receipt."""
    queue = sqs.will(batch("1", i0=("InternalError", False)), batch("0"))
    await queue.extend(["a", "b"], seconds=30)
    assert [len(parameters["Entries"]) for _, parameters in sqs.asked()] == [2, 1]


@pytest.mark.parametrize(
    "fault",
    [
        refuse("InternalFailure", 500),
        refuse("ServiceUnavailable", 503),
        answer(b"<html>a proxy's</html>", 502),
        refuse("RequestThrottled", 400),
        answer(b"", 429),
        reset,
        hang_up,
        cut,
        babble,
    ],
)
async def test_a_passing_fault_is_not_noticed(sqs, fault):
    """The SDK tries again after a server's fault, throttling, and a broken connection; each try is counted."""
    queue = sqs.will(fault, DONE)
    await queue.send([Message(b"job")])
    assert sqs.requests == ["SendMessageBatch"] * 2
    assert sqs.server.seen[0].body == sqs.server.seen[1].body


async def test_a_reset_after_the_effect_sends_twice(sqs):
    """An answer that was lost on its way: the message may be there twice, and is not lost."""
    taken = []

    def take_and_reset(handler):
        taken.append(handler.server.seen[-1])
        reset(handler)

    queue = sqs.will(take_and_reset, DONE)
    await queue.send([Message(b"job")])
    assert len(taken) == 1
    assert len(sqs.server.seen) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refuse("InternalFailure", 500), "InternalFailure"),
        (answer(b"", 503), "503"),
        (reset, "ConnectionClosedError"),
        (babble, "ConnectionClosedError"),
    ],
)
async def test_a_fault_that_stays_is_named_and_nothing_is_quoted(sqs, fault, code):
    """The error says which call on which queue and AWS's code; what AWS wrote may hold secrets."""
    queue = sqs.will(fault, fault, fault)
    with pytest.raises(BackendUnavailable) as caught:
        await queue.send([Message(b"job")])

    assert str(caught.value) == f"SQS: SendMessageBatch on requests: {code}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert SECRET not in repr(caught.value.__context__)
    assert len(sqs.requests) == 3


@pytest.mark.parametrize("garbage", [b"", b"\xff\xfe", b"{}", b"<html>"])
async def test_an_answer_that_is_none(sqs, garbage):
    """What says that all is well and makes no sense is not taken for an answer."""
    queue = sqs.will(*[answer(garbage)] * 10)
    with pytest.raises(BackendUnavailable):
        await queue.send([Message(b"job")])
    with pytest.raises(BackendUnavailable):
        await queue.depth()


@pytest.mark.parametrize("code", ["ExpiredToken", "AccessDenied", "SignatureDoesNotMatch", "OverLimit"])
async def test_a_refusal_is_not_tried_again(sqs, code):
    """Credentials that are refused do not become better by asking."""
    queue = sqs.will(refuse(code, 403))
    with pytest.raises(BackendUnavailable, match=f"on requests: {code}$"):
        await queue.depth()
    assert sqs.requests == ["GetQueueAttributes"]


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
async def test_a_queue_that_is_gone_is_said_to_be(sqs, code):
    """Every call says so, that its owner may make another."""
    queue = sqs.will(*[refuse(code)] * 5)
    calls = (
        queue.send([Message(b"job")]),
        queue.receive(up_to=1, wait=0),
        queue.extend(["receipt"], seconds=1),
        queue.delete(["receipt"]),
        queue.depth(),
    )
    heard = [await asyncio.gather(call, return_exceptions=True) for call in calls]
    assert [type(error) for [error] in heard] == [QueueVanished] * 5


async def test_nobody_listens(sqs):
    """A refused connection is said as such, without a time-out, and nothing is billed for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    begun = time.monotonic()
    with connected(f"http://127.0.0.1:{port}", on_request=sqs.requests.append) as connection:
        queue = SqsQueue(connection, "http://there/123456789012/requests", visibility_timeout=30)
        with pytest.raises(BackendUnavailable, match="SendMessageBatch on requests: EndpointConnectionError"):
            await queue.send([Message(b"job")])
    assert time.monotonic() - begun < 30  # with its pauses some two; a time-out has another name
    assert sqs.requests == []  # nothing was sent, so nothing is billed


async def test_a_server_that_keeps_silent(sqs, monkeypatch):
    """A call gives up after three silences."""
    monkeypatch.setattr(sqs_connection, "READ_SECONDS", 0.1)
    queue = sqs.will(keep_silent, keep_silent, keep_silent)
    with pytest.raises(BackendUnavailable, match="ReadTimeoutError"):
        await queue.depth()
    assert len(sqs.requests) == 3


async def test_a_long_poll_that_is_never_answered_is_given_up_once(sqs, monkeypatch):
    """Its patience is its own length and a little more, and nobody makes three of it."""
    monkeypatch.setattr(sqs_connection, "READ_SECONDS", 0.1)
    monkeypatch.setattr(sqs_connection, "POLL_GRACE_SECONDS", 0.1)
    queue = sqs.will(keep_silent)
    begun = time.monotonic()
    with pytest.raises(BackendUnavailable, match="ReceiveMessage on requests: TimeoutError"):
        await queue.receive(up_to=1, wait=1)
    assert time.monotonic() - begun >= 1
    assert sqs.requests == ["ReceiveMessage"]


async def test_connections_are_kept(sqs):
    """One call after another goes over one connection."""
    ports = set()

    def note(handler):
        ports.add(handler.client_address[1])
        DONE(handler)

    queue = sqs.will(note, note, note)
    for _ in range(3):
        await queue.send([Message(b"job")])
    assert len(ports) == 1


async def test_a_connection_that_was_closed_meanwhile_is_not_used(sqs):
    """A server that hangs up between two calls costs no failed try."""

    def last_words(handler):
        DONE(handler)
        handler.close_connection = True

    queue = sqs.will(last_words, DONE)
    await queue.send([Message(b"one")])
    [(_, kept)] = sqs.connection._wire._idle
    await asyncio.get_running_loop().run_in_executor(None, kept.recv, 1, socket.MSG_PEEK)  # until it hung up
    await queue.send([Message(b"two")])
    assert sqs.requests == ["SendMessageBatch"] * 2


async def test_without_credentials_nothing_is_sent(sqs, monkeypatch, tmp_path):
    """A process that finds none says so in one line."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("tests.integration.sqs_script.session", sqs_connection.Session)
    queue = sqs.will()
    with pytest.raises(BackendUnavailable, match="SendMessageBatch on requests: NoCredentialsError"):
        await queue.send([Message(b"job")])
    assert sqs.requests == []
