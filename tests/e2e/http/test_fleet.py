"""GET /v1/fleet and /v1/fleet/events of a real service: true numbers, bounded listeners, and an end in time."""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from tests.e2e.http.pictures import fresh
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import client_of, metrics, resting, settled
from tests.e2e.http.test_keys import client_with, new_key
from tests.waiting import until

PATHS = ("/v1/fleet", "/v1/fleet/events")
LISTENERS = 32
STOP_AT_ONCE_SECONDS = 9.0  # a service that waits for its open responses takes ten, and then cuts them off


def events_in(lines: Iterator[str]) -> Iterator[dict]:
    """The data of each event of a stream."""
    return (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def test_the_fleet_moves_with_its_work(api):
    """What was answered shows as a rate, latencies and a service time, and in the history."""
    workers = lambda: api.get("/v1/fleet").raise_for_status().json()["workers"]  # noqa: E731
    until(lambda: workers()["in_service"] == 2, what="two workers are seen, which may take a second")
    for _ in range(5):
        api.post("/v1/images", content=fresh()).raise_for_status()
    fleet = api.get("/v1/fleet").raise_for_status().json()

    assert fleet["pictures_per_second"] >= 0.5
    assert 0 < fleet["latency_ms"]["p50"] <= fleet["latency_ms"]["p95"]
    assert fleet["service_ms"] > 0
    until(lambda: moments(api, "pictures_per_second") > 0, what="the history has it")


def moments(api, name: str) -> float:
    """The largest value that the history has under a name."""
    return max((point[name] for point in api.get("/v1/fleet").json()["history"]), default=0)


def test_what_waits_is_seen(service, api):
    """Jobs that nobody takes stand in the queue, with their age, until they are answered."""
    with resting(service, api):
        for _ in range(3):
            api.post("/v1/images?wait=0", content=fresh()).raise_for_status()
        until(lambda: held(api) == 3, what="three jobs are seen")
        until(lambda: api.get("/v1/fleet").json()["queue"]["oldest_seconds"] > 0, what="they age")
    settled(api)
    until(lambda: held(api) == 0, what="the queue is seen to be empty")


def held(api) -> int:
    """Jobs in the queue, as the fleet's route says."""
    queue = api.get("/v1/fleet", params={"history": 0}).json()["queue"]
    return queue["visible"] + queue["in_flight"]


def test_history_can_be_left_out(api):
    """`history=0` leaves it out; anything but 0 and 1 is refused in words."""
    assert "history" not in api.get("/v1/fleet?history=0").json()
    assert_problem(api.get("/v1/fleet?history=2"), "invalid-request")


def test_events_follow_each_other(api):
    """The first event carries the history, those after it do not, and they are a second apart."""
    with api.stream("GET", "/v1/fleet/events") as response, closing(response.iter_lines()) as lines:
        first, *others = itertools.islice(events_in(lines), 7)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert "history" in first
    assert not [event for event in others if "history" in event]
    gaps = [later["at"] - earlier["at"] for earlier, later in itertools.pairwise(others)]
    assert 0.5 < statistics.median(gaps) < 2.5, gaps  # one or the other may be late


def test_listeners_are_bounded_and_those_who_go_leave_room(service):
    """The 33rd is refused with Retry-After; when listeners hang up, others find room."""
    with ExitStack() as open_lines:
        clients = [open_lines.enter_context(client_of(service)) for _ in range(LISTENERS)]
        for client in clients:
            response = open_lines.enter_context(client.stream("GET", "/v1/fleet/events"))
            assert response.status_code == 200
        with client_of(service) as late:
            refused = late.get("/v1/fleet/events")
            assert_problem(refused, "out-of-room")
            assert int(refused.headers["retry-after"]) > 0
            assert late.get("/v1/fleet").status_code == 200

    with client_of(service) as client:
        until(lambda: listens(client), what="there is room again")


def listens(client) -> bool:
    """Whether there is room for one more."""
    with client.stream("GET", "/v1/fleet/events") as response:
        return response.status_code == 200


def test_an_open_stream_does_not_hold_up_the_end(start):
    """A service with listeners stops at once, and their streams end in order."""
    service = start()
    with client_of(service) as client, client.stream("GET", "/v1/fleet/events") as response:
        lines = response.iter_lines()
        next(events_in(lines))
        begun = time.monotonic()
        service.stop()
        assert time.monotonic() - begun < STOP_AT_ONCE_SECONDS
        assert not [line for line in lines if line.startswith("event")][1:]


@pytest.mark.parametrize("path", PATHS)
def test_the_fleet_is_for_those_who_have_a_key(start, path):
    """Where there are keys, neither route says anything without one."""
    ann = new_key("ann")
    service = start(API_KEYS=ann.entry)
    with client_with(service, None) as stranger:
        assert_problem(stranger.get(path), "unauthorized")
    with (
        client_with(service, f"Bearer {ann.key}") as client,
        client.stream("GET", path) as response,
    ):
        assert response.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_another_name_of_this_machine_is_refused(api, path):
    """Without keys a page of elsewhere that points its own name here learns nothing."""
    assert_problem(api.get(path, headers={"Host": "evil.example"}), "forbidden-origin")


def test_asking_leaves_no_trace_but_its_count(api):
    """The routes are counted under their own names."""
    api.get("/v1/fleet").raise_for_status()
    assert 'iraas_requests_total{route="/v1/fleet",status="200"}' in metrics(api)


def test_a_head_of_the_events_ends(api):
    """HEAD gets the headers of the stream and an end: the next request on the connection is answered."""
    response = api.head("/v1/fleet/events")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert api.get("/livez").text == "ok\n"
