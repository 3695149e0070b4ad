"""iraas.web.pulse: how often it looks, what it remembers, whom it tells."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.unit.web.fleet_parts import Moved

from iraas.errors import BackendUnavailable, OutOfRoom
from iraas.queues.port import Depth
from iraas.web import pulse as pulses
from iraas.web.fleet import EventStream
from iraas.web.pulse import KEPT_POINTS, MAX_LISTENERS, MAX_STREAM_SECONDS, REST_SECONDS


@pytest.fixture
def moved():
    return Moved()


async def points(moved: Moved) -> list[dict]:
    """The history as it stands."""
    view = await moved.pulse.look(history=True)
    return [
        {"at": point.at, "visible": point.visible, "rate": point.pictures_per_second}
        for point in view.history
    ]


async def test_ten_minutes_are_remembered(moved):
    """A point every two seconds, the oldest first, at most 300, also with ticks each second."""
    for _ in range(400):
        await moved.tick(2.0)
    history = await points(moved)
    assert len(history) == KEPT_POINTS == 300
    assert history[-1]["at"] - history[0]["at"] == pytest.approx(598)

    for _ in range(10):
        await moved.tick(1.0)
    assert [point["at"] - history[-1]["at"] for point in (await points(moved))[-5:]] == [2, 4, 6, 8, 10]


async def test_a_point_says_how_it_was(moved):
    """Depth, workers, and what was answered in the two seconds before."""
    moved.depth = Depth(38, 4, 2.5)
    moved.clock.advance(1)
    for _ in range(6):
        moved.pace.answered()
        moved.pace.waited(0.12)
    await moved.tick(1.5)

    [point] = (await moved.pulse.look(history=True)).history
    assert (point.visible, point.in_flight, point.in_service, point.starting) == (38, 4, 2, 1)
    assert (point.pictures_per_second, point.p95_ms) == (3.0, 120.0)


async def test_at_rest_the_queue_is_hardly_asked(moved):
    """While nobody listens and nothing comes or goes, an empty queue is asked every ten seconds only."""
    for _ in range(60):
        await moved.tick(2.0)

    assert moved.questions <= 120 / REST_SECONDS + 1
    assert len(await points(moved)) == 60


async def test_what_comes_ends_the_rest(moved):
    """A job that was accepted, or an answer that was heard, has the queue asked at the next tick."""
    await moved.tick(2.0)
    for move in (moved.pace.accepted, moved.pace.answered):
        moved.clock.advance(1.0)
        move()
        before = moved.questions
        await moved.tick(1.0)
        assert moved.questions == before + 1
        await moved.tick(2.0)
        assert moved.questions == before + 1


async def test_a_queue_that_is_not_empty_is_asked_each_time(moved):
    """While jobs wait or are held, each point has its own sample."""
    for depth in (Depth(1, 0, 0.1), Depth(0, 1, 0.1)):
        moved.depth = depth
        moved.pace.accepted()
        before = moved.questions
        for _ in range(5):
            await moved.tick(2.0)
        assert moved.questions == before + 5


async def test_who_listens_sees_what_others_do(moved):
    """While somebody listens the queue is asked each second: jobs may come by another process."""
    await moved.tick(2.0)
    before = moved.questions
    with moved.pulse.listening():
        for _ in range(5):
            await moved.tick(1.0)
    assert moved.questions == before + 5


async def test_no_more_is_asked_than_the_backend_wants():
    """Where a question has its price, a sample serves for as long as the backend says."""
    moved = Moved(sample_seconds=4.0)
    moved.depth = Depth(5, 0, 1.0)
    for _ in range(12):
        await moved.tick(1.0)
    assert moved.questions == 3


async def test_what_cannot_be_asked_is_not_made_up(moved):
    """While the queue is away there are neither points nor events; then both go on."""
    moved.depth = Depth(9, 0, 1.0)
    await moved.tick(2.0)
    moved.away = True
    with moved.pulse.listening():
        for _ in range(3):
            await moved.tick(2.0)
    with pytest.raises(BackendUnavailable):
        await moved.pulse.look(history=True)
    moved.away = False
    await moved.tick(2.0)

    history = await points(moved)
    assert [point["at"] - history[0]["at"] for point in history] == [0, 8]


def parsed(frame: bytes) -> tuple[dict[str, str], dict]:
    """An event's fields, and its data."""
    fields = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
    return fields, json.loads(fields["data"])


async def heard(stream, moved: Moved, *, seconds: float = 1.0) -> bytes:
    """The next thing a listener hears, when the pulse ticks while it waits."""
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await moved.tick(seconds)
    return await waiting


async def test_the_first_event_is_whole_and_the_others_have_no_history(moved):
    """Each is a `fleet` with an id that grows; the first says when to come back."""
    await moved.tick(2.0)
    with moved.pulse.listening():
        stream = moved.pulse.events(await moved.pulse.look(history=True))
        fields, first = parsed(await anext(stream))
        assert (fields["event"], int(fields["retry"]) > 0, len(first["history"])) == ("fleet", True, 1)
        moved.depth = Depth(4, 2, 0.5)
        next_fields, second = parsed(await heard(stream, moved))

    assert "history" not in second
    assert "retry" not in next_fields
    assert second["queue"] == {"visible": 4, "in_flight": 2, "oldest_seconds": 0.5}
    assert int(next_fields["id"]) == int(fields["id"]) + 1000


async def test_all_who_listen_hear_the_same_event(moved):
    """An event is made once, however many hear it."""
    with moved.pulse.listening(), moved.pulse.listening():
        view = await moved.pulse.look(history=False)
        one, other = moved.pulse.events(view), moved.pulse.events(view)
        await anext(one)
        await anext(other)
        waiting = asyncio.ensure_future(anext(other))
        frame = await heard(one, moved)
        assert await waiting is frame


async def test_a_silent_line_is_kept_alive(moved, monkeypatch):
    """When there is no event for a while, a comment says that the line is good."""
    monkeypatch.setattr(pulses, "KEEP_ALIVE_SECONDS", 0.0)
    stream = moved.pulse.events(await moved.pulse.look(history=False))
    await anext(stream)

    comment = await anext(stream)
    assert comment.startswith(b":")
    assert comment.endswith(b"\n\n")


async def test_closing_ends_every_stream_at_once(moved):
    """Who waits for the next event, and who comes later, is let go."""
    view = await moved.pulse.look(history=False)
    streams = [moved.pulse.events(view) for _ in range(3)]
    for stream in streams:
        await anext(stream)
    waiting = [asyncio.create_task(collect(stream)) for stream in streams]
    await asyncio.sleep(0)
    moved.pulse.close()

    async with asyncio.timeout(20):
        await asyncio.gather(*waiting)
        assert len(await collect(moved.pulse.events(view))) == 1


async def collect(stream) -> list[bytes]:
    """Everything that is still to come."""
    return [frame async for frame in stream]


async def test_a_stream_ends_some_time(moved, monkeypatch):
    """A listener whose machine fell asleep does not hold its place for ever."""
    monkeypatch.setattr(pulses, "KEEP_ALIVE_SECONDS", 0.01)
    stream = moved.pulse.events(await moved.pulse.look(history=False))
    await anext(stream)
    await heard(stream, moved, seconds=MAX_STREAM_SECONDS)
    assert await collect(stream) == []


async def test_listeners_are_bounded(moved):
    """The 33rd is refused with the time after which to come back; a place that is left is free."""
    places = [moved.pulse.listening() for _ in range(MAX_LISTENERS)]
    for place in places:
        place.__enter__()
    with pytest.raises(OutOfRoom) as refused, moved.pulse.listening():
        pass
    assert refused.value.retry_after > 0
    places[0].__exit__(None, None, None)
    with moved.pulse.listening():
        assert moved.pulse.listeners == MAX_LISTENERS


async def test_nothing_is_encoded_while_nobody_listens(moved, monkeypatch):
    """Without listeners a tick makes no event."""
    monkeypatch.setattr(pulses, "_framed", None)
    await moved.tick(2.0)
    with moved.pulse.listening(), pytest.raises(TypeError):
        await moved.tick(2.0)


async def test_a_listener_that_reads_no_more_loses_its_place(moved, monkeypatch):
    """A full socket holds up its own stream only, and not for ever."""
    monkeypatch.setattr("iraas.web.fleet.MAX_STREAM_SECONDS", 0.05)

    async def stalled(_message) -> None:
        await asyncio.Event().wait()

    stream = EventStream(moved.pulse, await moved.pulse.look(history=False))
    async with asyncio.timeout(5):
        await stream({"type": "http", "asgi": {"spec_version": "2.4"}}, stalled, stalled)
    assert moved.pulse.listeners == 0
