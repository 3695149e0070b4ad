"""iraas.answers.wait: the reply, else the store, else nothing yet."""

from __future__ import annotations

import asyncio

import pytest

from iraas.answers.wait import Answers
from iraas.errors import BackendUnavailable
from iraas.messages import Failure, Record, Reply, encode

ID = "0198c6a4-0000-7000-8000-000000000001"
RECORD = Record("ann", Failure(id=ID, slug="undecodable-image", detail="said"))


@pytest.fixture
def answered() -> list[tuple[str, float]]:
    """What admission was told."""
    return []


@pytest.fixture
def answers(parts, answered) -> Answers:
    """The waiting requests of one process."""
    return Answers(
        results=parts.results, telemetry=parts.telemetry, on_answer=lambda *said: answered.append(said)
    )


async def test_a_reply_ends_the_wait(answers, answered):
    """Who waits gets the record of the reply, and admission is told."""
    with answers.expect(ID) as waiter:
        answers.take(Reply(RECORD, busy_ms=7.0))
        assert await answers.wait(ID, waiter, 30) == RECORD

    assert answered == [(ID, 7.0)]
    assert answers.waiting == 0


async def test_everyone_who_waits_for_a_picture_gets_it(answers):
    """Two requests with one idempotency key wait for one job."""
    with answers.expect(ID) as first, answers.expect(ID) as second:
        answers.resolve(RECORD)
        assert await answers.wait(ID, first, 30) == await answers.wait(ID, second, 30) == RECORD


async def test_a_lost_reply_costs_a_look_into_the_store(answers, parts, monkeypatch):
    """Without a reply the answer is found in the results store."""
    monkeypatch.setattr("iraas.answers.wait.LOOK_SECONDS", (0.0,))
    await parts.results.put(ID, encode(RECORD))

    with answers.expect(ID) as waiter:
        assert await answers.wait(ID, waiter, 30) == RECORD


async def test_a_store_that_is_away_does_not_end_the_wait(answers, parts, monkeypatch):
    """The job is accepted: while the store fails, its client may go on waiting."""
    monkeypatch.setattr("iraas.answers.wait.LOOK_SECONDS", (0.0, 0.0))
    get, failures = parts.results.get, iter(range(1))

    async def away_at_first(key):
        if next(failures, None) is not None:
            raise BackendUnavailable
        return await get(key)

    parts.results.get = away_at_first
    await parts.results.put(ID, encode(RECORD))

    with answers.expect(ID) as waiter:
        assert await answers.wait(ID, waiter, 30) == RECORD


async def test_no_answer_in_time_is_none(answers):
    """After its seconds a wait ends without a record."""
    with answers.expect(ID) as waiter:
        assert await answers.wait(ID, waiter, 0.001) is None


async def test_giving_up_ends_every_wait(answers):
    """When the process is about to end, those who wait are told to ask again, and so are those who come."""
    with answers.expect(ID) as waiter:
        waiting = asyncio.create_task(answers.wait(ID, waiter, 60))
        await asyncio.sleep(0)
        answers.give_up()
        assert await waiting is None
    with answers.expect(ID) as waiter:
        assert await answers.wait(ID, waiter, 60) is None


async def test_while_replies_are_slow_nobody_looks_in_vain(answers, parts, monkeypatch):
    """Under load the store is asked once a reply is overdue, not while it may well be on its way."""
    monkeypatch.setattr("iraas.answers.wait.LOOK_SECONDS", (0.0,))
    monkeypatch.setattr("iraas.answers.wait.SMOOTHING", 1.0)
    loop = asyncio.get_running_loop()
    with answers.expect(ID) as waiter:
        loop.call_later(0.05, answers.resolve, RECORD)
        monkeypatch.setattr(parts.results, "get", None)  # a look would fail
        monkeypatch.setattr("iraas.answers.wait.LOOK_SECONDS", (1.0,))
        assert await answers.wait(ID, waiter, 30) == RECORD

    monkeypatch.setattr("iraas.answers.wait.LOOK_SECONDS", (0.0,))
    with answers.expect(ID) as waiter:
        loop.call_later(0.01, answers.resolve, RECORD)
        assert await answers.wait(ID, waiter, 30) == RECORD
