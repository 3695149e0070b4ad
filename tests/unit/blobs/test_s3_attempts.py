"""How often a request is tried, and for how long."""

import asyncio
import time

import pytest

from iraas.blobs import s3_attempts
from iraas.blobs.s3_attempts import Attempts
from iraas.blobs.s3_fault import BROKEN, NOT_IN_TIME, S3Fault
from iraas.errors import ImageTooLarge


@pytest.fixture
def soon(monkeypatch):
    """The pauses of a test."""
    monkeypatch.setattr(s3_attempts, "FIRST_PAUSE_SECONDS", 0.001)


def script(*outcomes):
    """A request that ends as it is told, one way after the other."""
    left = list(outcomes)

    async def request():
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return request


@pytest.mark.parametrize(
    ("fault", "in_doubt"),
    [
        (S3Fault(BROKEN), True),
        (S3Fault("503 Service Unavailable", 503), True),
        (S3Fault("InternalError", 500), True),
        (S3Fault("TooManyRequests", 429), False),
        (S3Fault("ConditionalRequestConflict", 409), False),
        (S3Fault("RequestTimeout", 400), False),
    ],
    ids=str,
)
async def test_tries_again_what_passes(soon, fault, in_doubt):
    """A passing fault is survived; each attempt is counted, and one that may have had its effect is remembered."""
    asked = []
    attempts = Attempts(asyncio.Semaphore(9), asked.append)
    assert await attempts.make("PutObject", script(fault, fault, "done")) == "done"
    assert asked == ["PutObject"] * 3
    assert attempts.in_doubt is in_doubt


@pytest.mark.parametrize(
    "error", [S3Fault("AccessDenied", 403), S3Fault("NoSuchBucket", 404), ImageTooLarge("10 bytes")], ids=str
)
async def test_does_not_repeat_what_stays(error):
    """What will be the same a moment later is raised at once."""
    asked = []
    attempts = Attempts(asyncio.Semaphore(9), asked.append)
    with pytest.raises(type(error)) as raised:
        await attempts.make("GetObject", script(error))
    assert raised.value is error
    assert asked == ["GetObject"]
    assert not attempts.in_doubt


async def test_ends_in_time_when_all_fail(monkeypatch):
    """Faults without end are raised as the last of them, before the deadline, which all requests share."""
    monkeypatch.setattr(s3_attempts, "TOTAL_SECONDS", 0.6)
    attempts = Attempts(asyncio.Semaphore(9), lambda _: None)
    began = time.monotonic()
    with pytest.raises(S3Fault) as error:
        await attempts.make("GetObject", script(*(S3Fault(BROKEN) for _ in range(99))))
    assert (error.value.code, error.value.operation) == (BROKEN, "GetObject")
    with pytest.raises(S3Fault):
        await attempts.make("PutObject", script(S3Fault(BROKEN)))
    assert time.monotonic() - began < 30  # 99 pauses would take minutes; a busy machine is no failure


async def test_ends_in_time_when_nothing_answers(monkeypatch):
    """A request that hangs is given up at the deadline, in doubt."""
    monkeypatch.setattr(s3_attempts, "TOTAL_SECONDS", 0.1)
    hanging = asyncio.Event()
    attempts = Attempts(asyncio.Semaphore(9), lambda _: None)
    with pytest.raises(S3Fault, match=NOT_IN_TIME):
        await attempts.make("PutObject", hanging.wait)
    assert attempts.in_doubt


async def test_a_caller_may_leave():
    """A cancelled call is cancelled, not answered with a fault."""
    hanging = asyncio.Event()
    calling = asyncio.create_task(
        Attempts(asyncio.Semaphore(9), lambda _: None).make("PutObject", hanging.wait)
    )
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_who_waits_for_his_turn_waits_no_longer_than_others(monkeypatch):
    """Beyond as many requests as may be under way, a call waits; at its deadline it ends, without a request."""
    monkeypatch.setattr(s3_attempts, "TOTAL_SECONDS", 0.1)
    asked, turns = [], asyncio.Semaphore(2)
    hanging = asyncio.Event()
    calls = [Attempts(turns, asked.append).make("PutObject", hanging.wait) for _ in range(5)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [(type(outcome), outcome.code) for outcome in outcomes] == [(S3Fault, NOT_IN_TIME)] * 5
    assert asked == ["PutObject"] * 2
    assert await Attempts(turns, asked.append).make("GetObject", script("done")) == "done"
