"""What a client is made of, and how an image goes over the wire."""

from __future__ import annotations

import asyncio
import contextlib
import io
import ssl
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.client_script import ANSWER, URL, PausedClock

import iraas.client_wire as wire
from iraas.client import AsyncClient, Client
from iraas.client_protocol import Request
from iraas.errors import ConfigurationError, InvalidRequest, IraasError


@pytest.mark.parametrize(
    "url",
    ["localhost:8080", "ftp://x", "http://", "", "http://x/?a=1", "http://x:port", "http://u:secret@x"],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_address_that_is_none_is_refused_at_once(kind: Any, url: str) -> None:
    """A wrong address fails when the client is made, and a password is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        kind(url)
    assert "secret" not in str(caught.value)


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `api_key`, IRAAS_API_KEY is taken, a newline at its end dropped; with it, it is not."""
    monkeypatch.setenv("IRAAS_API_KEY", "from-the-environment\n")

    assert _authorization_of(None) == "Bearer from-the-environment"
    assert _authorization_of("given") == "Bearer given"
    assert _authorization_of("") is None


def test_a_key_that_no_header_can_carry_is_refused() -> None:
    """A key with a line break inside would be a header of its own; the message does not repeat it."""
    with pytest.raises(ConfigurationError) as caught:
        Client(URL, api_key="a\r\nX-Admin: 1")
    assert "X-Admin" not in str(caught.value)


def test_an_idempotency_key_that_no_header_can_carry_is_refused() -> None:
    """The caller's key is checked only for what would break the request itself."""
    with Client(URL) as client, pytest.raises(InvalidRequest):
        client.submit(b"pixels", idempotency_key="line\nbreak of sixteen")


def test_each_call_makes_its_own_key() -> None:
    """Two calls are two jobs, unless the caller says otherwise."""
    assert wire.idempotency(None) != wire.idempotency(None)
    assert 16 <= len(wire.idempotency(None)) <= 255
    assert wire.idempotency("the caller's own key") == "the caller's own key"


def test_no_proxy_stands_between_a_machine_and_itself() -> None:
    """The environment's proxy is for other machines."""
    assert _service("http://127.0.0.1:1").connection["trust_env"] is False
    assert _service("https://[::1]:1").connection["trust_env"] is False
    assert "trust_env" not in _service(URL).connection


def test_every_tls_connection_is_verified() -> None:
    """Only where there is no TLS are certificates not loaded, and then nobody is trusted."""
    assert "verify" not in _service("https://127.0.0.1:1").connection
    assert _service("http://127.0.0.1:1").connection["verify"].verify_mode == ssl.CERT_REQUIRED


STATUSES_AND_FAULTS = st.sampled_from([200, 202, 204, 301, 400, 404, 429, 500, 502, 503, httpx2.ReadError])


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@settings(max_examples=30)
@given(script=st.lists(STATUSES_AND_FAULTS, min_size=1, max_size=12), retries=st.integers(0, 4))
def test_one_key_a_call_and_bounded_tries(kind: Any, script: list[Any], retries: int) -> None:
    """Whatever happens to its requests, a call posts under one key of its own, and no oftener than it may."""
    posts: list[str] = []
    lines = iter(script)
    clock = PausedClock()

    def serve(request: httpx2.Request) -> httpx2.Response:
        line = next(lines, script[-1])
        if request.method == "POST":
            posts.append(request.headers["Idempotency-Key"])
        if line is httpx2.ReadError:
            raise httpx2.ReadError("reset", request=request)
        return httpx2.Response(line, json=ANSWER)

    def pause(seconds: float) -> None:
        clock.now += seconds

    async def pause_async(seconds: float) -> None:
        clock.now += seconds

    async def classify() -> None:
        options = {"retries": retries, "clock": clock}
        if kind is Client:
            with Client("http://127.0.0.1:1", sleep=pause, **options) as client:
                client._http = httpx2.Client(transport=httpx2.MockTransport(serve))
                client.classify(b"pixels")
        else:
            async with AsyncClient("http://127.0.0.1:1", sleep=pause_async, **options) as client:
                client._http = httpx2.AsyncClient(transport=httpx2.MockTransport(serve))
                await client.classify(b"pixels")

    with contextlib.suppress(IraasError):
        asyncio.run(classify())
    assert len(set(posts)) == 1
    assert 1 <= len(posts) <= 1 + retries


def _service(url: str, api_key: str | None = None) -> wire.Service:
    return wire.Service(url, api_key=api_key, timeout=1, retries=0, clock=PausedClock())


def _authorization_of(api_key: str | None) -> str | None:
    return _service(URL, api_key).connection["headers"].get("Authorization")


def test_a_held_request_may_stay_silent_as_long_as_it_is_held() -> None:
    """The seconds that the server may wait come on top of the timeout, for reading only."""
    post = Request("POST", "/v1/images", {"wait": 30})
    timeout = _service(URL).arguments(post, None)["timeout"]

    assert (timeout.connect, timeout.write, timeout.read) == (1, 1, 31)


@pytest.mark.parametrize("kind", [httpx2.LocalProtocolError, httpx2.UnsupportedProtocol])
def test_what_cannot_be_sent_is_not_tried_again(kind: type[httpx2.RequestError]) -> None:
    """A request that breaks HTTP's own rules would break them at the next try too."""
    with pytest.raises(InvalidRequest, match="illegal header"):
        wire.lost(kind("illegal header"))


def sent(upload: wire.Upload) -> bytes:
    """The body that httpx2 makes of an upload."""
    return httpx2.Request("POST", URL, **upload).read()


def test_a_path_goes_as_multipart_with_its_name_any_number_of_times(tmp_path: Path) -> None:
    """A file is streamed from its start at every try, under its own name."""
    path = tmp_path / "cat.png"
    path.write_bytes(b"pixels")

    with wire.prepared(path, None) as upload:
        bodies = [sent(upload), sent(upload)]

    assert all(b'filename="cat.png"' in body and b"\r\n\r\npixels\r\n" in body for body in bodies)


def test_bytes_go_raw() -> None:
    """Bytes without a name are the body itself."""
    for data in (b"pixels", bytearray(b"pixels"), memoryview(b"pixels")):
        with wire.prepared(data, None) as upload:
            assert sent(upload) == b"pixels"


def test_an_open_file_is_read_from_where_it_stands(tmp_path: Path) -> None:
    """What the caller has read of a file is not sent; its name is."""
    path = tmp_path / "cat.png"
    path.write_bytes(b"skip pixels")
    with path.open("rb") as file:
        file.seek(5)
        with wire.prepared(file, None) as upload:
            body = sent(upload)

    assert b'filename="cat.png"' in body
    assert b"\r\n\r\npixels\r\n" in body


def test_a_text_file_is_refused_in_words() -> None:
    """A file in text mode is the caller's mistake, and the error says the mend."""
    with pytest.raises(TypeError, match="binary mode"), wire.prepared(io.StringIO("x"), None):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize(
    "name",
    [
        'a"b.png',
        "a\r\nX: 1\r\n\r\n.png",
        "\0.png",
        "\x1b[31m.png",
        "猫.png",
        "\udcff.png",
        "../../x",
        "x" * 4_096,
    ],
)
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    """A file's name is quoted: it adds no header, no part and no error of its own."""
    with wire.prepared(b"pixels", name) as upload:
        head, _, rest = sent(upload).partition(b"\r\n\r\n")

    assert len(head.split(b"\r\n")) == 3  # boundary, disposition, type
    assert rest.startswith(b"pixels\r\n")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    """The SDK does not dress up what the system says of a path."""
    with Client(URL) as client, pytest.raises(FileNotFoundError):
        client.classify(tmp_path / "none.png")
