"""iraas.web.fleet: what the two routes answer, byte by byte, to a client that stays and to one that goes."""

from __future__ import annotations

import asyncio
import json
import math

import pytest
from fastapi import FastAPI
from tests.unit.web.fleet_parts import Moved

from iraas.errors import IraasError
from iraas.fleet.port import FleetEvent, FleetReport, FleetState
from iraas.queues.port import Depth
from iraas.web import fleet
from iraas.web.problems import on_iraas_error
from iraas.web.pulse import MAX_LISTENERS


class Call:
    """One request to the routes, as a server would put it."""

    def __init__(self, moved: Moved, path: str, *, query: str = "", **state: object) -> None:
        self._app = FastAPI()
        self._app.include_router(fleet.routes(moved.pulse))
        self._app.add_exception_handler(IraasError, on_iraas_error)
        self._scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "headers": [], "state": dict(state),
        }  # fmt: skip
        self._gone = asyncio.Event()
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.task = asyncio.create_task(self._app(self._scope, self._receive, self._send))

    async def whole(self) -> Call:
        """When the response is complete."""
        async with asyncio.timeout(5):
            await self.task
        return self

    def hang_up(self) -> None:
        """The client goes away."""
        self._gone.set()

    async def _receive(self) -> dict:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message.get("body"):
            self.body += message["body"]
            self.heard.put_nowait(message["body"])


@pytest.fixture
def moved():
    return Moved()


async def test_the_fleet_is_told_whole(moved):
    """Every number of queue, workers, pace and policy has its place; what is not busy is idle."""
    moved.depth = Depth(38, 4, 2.345)
    moved.fleet.now = FleetState(in_service=5, starting=2, busy=3, draining=1)
    events = (FleetEvent(at=9.0, before=2, capacity=7, reason="added 5: 38 waiting"),)
    moved.fleet.said = FleetReport(1, 12, "backlog per worker", 0.012, 1.75, events)
    for wait in (0.1, 0.3):
        moved.pace.answered(20.0)
        moved.pace.waited(wait)
    await moved.tick(2.0)
    call = await Call(moved, "/v1/fleet").whole()

    assert (call.status, call.headers["content-type"]) == (200, "application/json")
    assert call.headers["cache-control"] == "no-store"
    told = json.loads(call.body)
    assert len(told.pop("history")) == 1
    assert told == {
        "at": moved.clock.time(),
        "queue": {"visible": 38, "in_flight": 4, "oldest_seconds": 2.3},
        "workers": {
            "in_service": 5, "starting": 2, "busy": 3, "idle": 2, "draining": 1, "minimum": 1, "maximum": 12,
        },
        "pictures_per_second": 0.2,
        "latency_ms": {"p50": 100.0, "p95": 300.0},
        "service_ms": 12.0,
        "boot_seconds": 1.8,
        "policy": "backlog per worker",
        "decisions": [
            {"at": 9.0, "before": 2, "capacity": 7, "reason": "added 5: 38 waiting", "trouble": False}
        ],
    }  # fmt: skip


async def test_what_is_not_known_is_null(moved):
    """A queue that cannot tell an age, a fleet that nobody steers and a time without answers give null, never NaN."""
    moved.depth = Depth(1, 0, math.nan)
    moved.fleet.said = FleetReport(service_seconds=math.nan, boot_seconds=math.inf)
    await moved.tick(2.0)
    call = await Call(moved, "/v1/fleet").whole()

    told = json.loads(call.body, parse_constant=pytest.fail)
    assert told["queue"]["oldest_seconds"] is None
    assert told["latency_ms"] == {"p50": None, "p95": None}
    assert told["history"][0]["p95_ms"] is None
    unknown = ("service_ms", "boot_seconds", "policy")
    assert [told[name] for name in unknown] == [None] * 3
    assert (told["workers"]["minimum"], told["workers"]["maximum"]) == (None, None)


async def test_a_fleet_that_nobody_measures_has_the_service_time_of_its_replies(moved):
    """Without a report the seconds that workers say of themselves are told."""
    moved.pace.answered(20.0)
    call = await Call(moved, "/v1/fleet").whole()
    assert json.loads(call.body)["service_ms"] == 20.0


async def test_more_busy_workers_than_there_are_leave_none_idle(moved):
    """Two files that were not written at the same moment never make a negative number."""
    moved.fleet.now = FleetState(in_service=1, starting=0, busy=3)
    call = await Call(moved, "/v1/fleet").whole()
    assert json.loads(call.body)["workers"]["idle"] == 0


async def test_history_can_be_left_out(moved):
    """`?history=0` is for those who ask often."""
    await moved.tick(2.0)
    call = await Call(moved, "/v1/fleet", query="history=0").whole()
    assert "history" not in json.loads(call.body)


async def test_a_queue_that_is_away_is_a_problem(moved):
    """Both routes say so, before a stream begins."""
    moved.away = True
    for path in ("/v1/fleet", "/v1/fleet/events"):
        call = await Call(moved, path).whole()
        assert (call.status, json.loads(call.body)["type"]) == (503, "backend-unavailable")
    assert moved.pulse.listeners == 0


async def test_events_come_as_the_pulse_beats(moved):
    """A listener hears the whole at once and then each tick, in a form that no proxy collects."""
    call = Call(moved, "/v1/fleet/events")
    assert b'"history":[' in await call.heard.get()
    await moved.tick(1.0)
    assert b"event: fleet\n" in await call.heard.get()

    assert (call.status, moved.pulse.listeners) == (200, 1)
    assert call.headers["content-type"].startswith("text/event-stream")
    assert (call.headers["cache-control"], call.headers["x-accel-buffering"]) == ("no-store", "no")
    call.hang_up()
    await call.whole()


async def test_who_goes_away_leaves_its_place(moved):
    """A client that hangs up is forgotten at once."""
    call = Call(moved, "/v1/fleet/events")
    await call.heard.get()
    call.hang_up()
    await call.whole()
    assert moved.pulse.listeners == 0


async def test_a_stream_ends_in_order_when_the_process_does(moved):
    """Closing ends the response, so that a server which waits for open responses can end."""
    call = Call(moved, "/v1/fleet/events")
    await call.heard.get()
    moved.pulse.close()
    await call.whole()
    assert moved.pulse.listeners == 0


async def test_one_too_many_is_told_when_to_come_back(moved):
    """Beyond the last place a listener gets a problem with Retry-After, and the others go on."""
    calls = [Call(moved, "/v1/fleet/events") for _ in range(MAX_LISTENERS)]
    for call in calls:
        await call.heard.get()
    refused = await Call(moved, "/v1/fleet/events").whole()

    assert (refused.status, json.loads(refused.body)["type"]) == (503, "out-of-room")
    assert int(refused.headers["retry-after"]) > 0
    assert moved.pulse.listeners == MAX_LISTENERS
    moved.pulse.close()
    for call in calls:
        await call.whole()


async def test_a_head_ends_with_its_headers(moved):
    """HEAD takes no place and leaves no response open."""
    call = await Call(moved, "/v1/fleet/events", head=True).whole()
    assert (call.status, call.body, moved.pulse.listeners) == (200, b"", 0)
    assert call.headers["content-type"].startswith("text/event-stream")
