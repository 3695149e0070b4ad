"""`Client` and `AsyncClient` against a real server that misbehaves. Time passes only in their pauses."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.integration.scripted_server import (
    babble,
    cut,
    hang_up,
    keep_silent,
    problem,
    reply,
    reset,
    serving,
)
from typer.testing import CliRunner

from iraas.cli.classify import classify
from iraas.client import AsyncClient, Client, StillPending, UnexpectedResponse, Unreachable
from iraas.errors import (
    ClassifierCrashed,
    IdempotencyMismatch,
    ImageTooLarge,
    InputExpired,
    Overloaded,
    Unauthorized,
)
from iraas.messages import Answer

ID = "0198c6a4-0000-7000-8000-000000000001"
ANSWER = {
    "id": ID,
    "state": "done",
    "filename": "cat.png",
    "label": "Egyptian cat",
    "score": 0.83,
    "predictions": [{"class_id": 285, "wnid": "n02124075", "label": "Egyptian cat", "score": 0.83}],
    "model": "efficientnet-lite1@3f9c21ab",
    "image": {"format": "png", "width": 500, "height": 375, "sha256": "00"},
    "timing_ms": {"queued": 3.1, "decode": 2.0, "infer": 4.8, "total": 14.2},
    "a_later_version_says": "more",
}
done = reply(200, ANSWER, Content_Type="application/json")
pending = reply(202, {"id": ID, "state": "pending"}, Location=f"/v1/images/{ID}", Retry_After="1")


class Caller:
    """One of the two clients, called the same way; its pauses move its clock and are remembered."""

    boot_id = "test"

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.pauses: list[float] = []

    def time(self) -> float:
        """Seconds."""
        return 0.0

    def boot(self) -> float:
        """Seconds, all of them paused."""
        return sum(self.pauses)

    def call(
        self, url: str, method: str, *args: Any, client: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        """Make a client, call it, close it."""
        options = {"clock": self, "timeout": 60.0, **(client or {})}
        if self._kind == "Client":
            with Client(url, sleep=self.pauses.append, **options) as iraas:
                return getattr(iraas, method)(*args, **kwargs)
        return asyncio.run(self._call(url, method, args, kwargs, options))

    async def _call(self, url: str, method: str, args: Any, kwargs: Any, options: dict[str, Any]) -> Any:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        async with AsyncClient(url, sleep=sleep, **options) as iraas:
            return await getattr(iraas, method)(*args, **kwargs)


@pytest.fixture(params=["Client", "AsyncClient"])
def caller(request: pytest.FixtureRequest) -> Caller:
    """Each of the two clients."""
    return Caller(request.param)


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    """A file that is called cat.png."""
    path = tmp_path / "cat.png"
    path.write_bytes(b"pixels" * 20_000)
    return path


def test_an_answer_comes_typed(caller: Caller, cat: Path) -> None:
    """A 200 becomes an `Answer`; what a later version adds to it is passed over."""
    with serving(done) as server:
        answer = caller.call(server.url, "classify", cat, top=1, client={"api_key": "secret"})

    [post] = server.seen
    assert isinstance(answer, Answer)
    assert (answer.label, answer.predictions[0].wnid) == ("Egyptian cat", "n02124075")
    assert (post.method, post.path, post.query) == ("POST", "/v1/images", {"top": "1", "wait": "30"})
    assert post.headers["Authorization"] == "Bearer secret"
    assert b'filename="cat.png"' in post.body
    assert cat.read_bytes() in post.body


@pytest.mark.parametrize("fault", [reset, cut, hang_up, babble])
def test_a_lost_answer_never_submits_twice(caller: Caller, cat: Path, fault: Callable[..., None]) -> None:
    """After a connection that broke, the whole picture comes again under the same idempotency key."""
    with serving(fault, fault, done) as server:
        answer = caller.call(server.url, "classify", cat)

    assert answer.id == ID
    assert len(server.seen) == 3
    assert len({request.headers["Idempotency-Key"] for request in server.seen}) == 1
    assert all(cat.read_bytes() in request.body for request in server.seen)


def test_two_calls_have_two_keys(caller: Caller) -> None:
    """Each call is a job of its own."""
    with serving(done, done) as server:
        caller.call(server.url, "classify", b"pixels")
        caller.call(server.url, "classify", b"pixels")

    assert len({request.headers["Idempotency-Key"] for request in server.seen}) == 2


def test_a_silent_server_is_left_and_asked_again(caller: Caller) -> None:
    """A connection that stays silent beyond `timeout` counts as lost."""
    with serving(keep_silent, *[pending] * 4) as server:  # a busy machine may miss the first of them, too
        assert caller.call(server.url, "submit", b"pixels", client={"timeout": 0.5}) == ID

    assert len(server.seen) > 1
    assert len({request.headers["Idempotency-Key"] for request in server.seen}) == 1


def test_waits_as_long_as_an_overloaded_server_asks(caller: Caller) -> None:
    """429 with `Retry-After` is a pause of at least that length, then another try."""
    overloaded = reply(429, {"type": "overloaded"}, Retry_After="7")
    with serving(overloaded, done) as server:
        assert caller.call(server.url, "classify", b"pixels").id == ID

    [pause] = caller.pauses
    assert 7 <= pause < 7.2


def test_a_date_too_far_off_is_handed_to_the_caller(caller: Caller) -> None:
    """An HTTP date beyond the time that is left costs no pause: the error carries it, in seconds."""
    dated = reply(503, b"", Retry_After="Fri, 31 Dec 9999 23:59:59 GMT")
    with serving(dated) as server, pytest.raises(Unreachable) as caught:
        caller.call(server.url, "classify", b"pixels")

    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 1e9
    assert caller.pauses == []


def test_polls_until_the_answer_is_there(caller: Caller) -> None:
    """A 202 is followed to its Location with `wait`, and the picture is not sent again."""
    with serving(pending, reset, pending, done) as server:
        assert caller.call(server.url, "classify", b"pixels", wait=20).id == ID

    assert [(request.method, request.path) for request in server.seen] == [
        ("POST", "/v1/images"),
        *[("GET", f"/v1/images/{ID}")] * 3,
    ]
    assert [request.body for request in server.seen] == [b"pixels", b"", b"", b""]
    assert [request.query["wait"] for request in server.seen] == ["20", "19", "18", "17"]


def test_an_answer_that_does_not_come_leaves_its_id(caller: Caller) -> None:
    """After `wait` seconds, `StillPending` says under which id to ask later."""
    with serving(*[pending] * 10) as server, pytest.raises(StillPending) as caught:
        caller.call(server.url, "classify", b"pixels", wait=3)

    assert caught.value.id == ID
    assert sum(caller.pauses) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (problem(401, "unauthorized", detail="no key came"), Unauthorized),
        (problem(413, "image-too-large", detail="11 MB"), ImageTooLarge),
        (problem(422, "idempotency-mismatch", detail="other bytes"), IdempotencyMismatch),
        (problem(410, "input-expired", id=ID, state="failed", detail="too old"), InputExpired),
        (problem(500, "classifier-crashed", id=ID, state="failed", detail="twice"), ClassifierCrashed),
        (problem(429, "overloaded", id=ID, state="failed", detail="for ever"), Overloaded),
        (reply(200, b'{"id": "'), UnexpectedResponse),
        (reply(200, [1, 2]), UnexpectedResponse),
        (reply(404, b"<html>nginx</html>"), UnexpectedResponse),
        (reply(302, b"", Location="http://127.0.0.1:1/"), UnexpectedResponse),
    ],
)
def test_a_final_refusal_is_raised_at_once(
    caller: Caller, fault: Callable[..., None], kind: type[Exception]
) -> None:
    """What trying again cannot change is asked once, and raised as the error of its slug."""
    with serving(fault) as server, pytest.raises(kind) as caught:
        caller.call(server.url, "classify", b"pixels")

    assert type(caught.value) is kind
    assert len(server.seen) == 1
    assert caller.pauses == []
    assert caught.value.id == (ID if kind in {InputExpired, ClassifierCrashed, Overloaded} else None)


def test_a_proxy_without_a_service_behind_it_is_tried_and_named(caller: Caller) -> None:
    """A 502 in HTML is tried as often as `retries` says; then the error shows what the proxy said."""
    page = reply(502, b"<html>502 Bad Gateway</html>", Content_Type="text/html")
    with serving(page, page, page) as server, pytest.raises(Unreachable, match="502 Bad Gateway"):
        caller.call(server.url, "classify", b"pixels", client={"retries": 2})

    assert len(server.seen) == 3


def test_a_closed_port_is_an_error_in_words(caller: Caller) -> None:
    """Where nobody listens, the error names the address after the last try."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(Unreachable, match=url):
            caller.call(url, "classify", b"pixels")

    assert len(caller.pauses) == 4


def test_result_and_delete(caller: Caller) -> None:
    """`result` is None while a 202 comes; a `delete` whose reply was lost and then finds nothing has worked."""
    with serving(pending, done, reset, problem(404, "not-found"), reply(204)) as server:
        assert caller.call(server.url, "result", ID) is None
        assert caller.call(server.url, "result", ID).id == ID
        caller.call(server.url, "delete", ID)
        caller.call(server.url, "delete", ID)

    assert [request.method for request in server.seen] == ["GET", "GET", "DELETE", "DELETE", "DELETE"]


def test_a_pipe_is_read_once_and_sent_as_often_as_needed(caller: Caller, tmp_path: Path) -> None:
    """What can be read only once still survives a reset connection."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"pixels",))
    writer.start()
    with serving(reset, done) as server:
        caller.call(server.url, "classify", path)
    writer.join()

    assert all(b"\r\n\r\npixels\r\n" in request.body for request in server.seen)


def test_one_client_serves_many_threads() -> None:
    """A `Client` may be shared: a connection that breaks under one thread's call harms no other's."""
    with (
        serving(*[reset, done] * 8) as server,
        Client(server.url, retries=8, sleep=lambda _: None) as iraas,  # all resets may fall to one call
        ThreadPoolExecutor(8) as threads,
    ):
        ids = list(threads.map(lambda _: iraas.classify(b"pixels").id, range(8)))

    assert ids == [ID] * 8
    assert len({request.headers["Idempotency-Key"] for request in server.seen}) == 8


def test_the_command_goes_on_after_a_bad_picture(cat: Path) -> None:
    """`iraas classify --url` over real HTTP: a row for each, and exit code 1 for the bad one."""
    bad = problem(422, "undecodable-image", id=ID, state="failed", detail="cut short")
    app = typer.Typer()
    app.command()(classify)
    with serving(bad, done) as server:
        options = ["--url", server.url, "--json", "--concurrency", "1"]
        result = CliRunner().invoke(app, [str(cat), __file__, *options])

    assert [json.loads(line)["state"] for line in result.stdout.splitlines()] == ["failed", "done"]
    assert result.exit_code == 1
