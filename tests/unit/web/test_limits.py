"""iraas.web.limits: bodies are bounded in time and in memory."""

from __future__ import annotations

import asyncio

import pytest

from iraas.errors import BodyTooSlow, OutOfRoom
from iraas.web.limits import BodyBudget, BodyLimits, ClientGone, read_body


def script(*messages: dict) -> object:
    """A receive callable that says these, and then nothing for ever."""
    left = list(messages)

    async def receive() -> dict:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def chunk(body: bytes, *, more: bool = True) -> dict:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_is_fed_as_it_comes():
    """Chunks arrive in order, and the last one ends it."""
    fed = []
    await read_body(script(chunk(b"a"), chunk(b"b"), chunk(b"", more=False)), fed.append, BodyLimits())
    assert b"".join(fed) == b"ab"


async def test_a_client_that_hangs_up_is_gone():
    """A disconnect in mid-body is nobody to answer."""
    with pytest.raises(ClientGone):
        await read_body(script(chunk(b"a"), {"type": "http.disconnect"}), lambda _: None, BodyLimits())


async def test_a_body_must_begin():
    """Nothing within the first-byte time is too slow."""
    with pytest.raises(BodyTooSlow):
        await read_body(script(), lambda _: None, BodyLimits(first_byte_seconds=0.01))


async def test_a_body_must_end():
    """The whole has a deadline, however much came before."""
    with pytest.raises(BodyTooSlow):
        await read_body(script(chunk(bytes(10_000_000))), lambda _: None, BodyLimits(max_seconds=0.01))


async def test_a_body_must_go_on(monkeypatch):
    """What comes slower than the least rate over a window is cut off."""
    monkeypatch.setattr("iraas.web.limits.WINDOW_SECONDS", 0.05)
    with pytest.raises(BodyTooSlow):
        await read_body(script(chunk(b"x")), lambda _: None, BodyLimits(bytes_per_second=1000))


async def test_what_feeding_raises_ends_the_reading():
    """A body that is refused in the middle is not read to its end."""

    def refuse(_chunk: bytes) -> None:
        raise OutOfRoom

    with pytest.raises(OutOfRoom):
        await read_body(script(chunk(b"a")), refuse, BodyLimits())


def test_all_bodies_share_a_budget():
    """What is held by one is not there for another until it is given back."""
    budget = BodyBudget(100)
    budget.hold(60)
    with pytest.raises(OutOfRoom):
        budget.hold(41)
    budget.release(60)
    budget.hold(100)
    assert budget.held == 100
