"""The proxy between a client and a service: what passes, what is done to the rest, and outages."""

import asyncio
import http.client
import socket
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.waiting import until

from iraas.testing.proxy import FAULTS, Fault, Plan, Proxy, Request

BODY = bytes(range(256)) * 1_172  # 300 KB
GONE = (ConnectionError, http.client.RemoteDisconnected)


class Service(BaseHTTPRequestHandler):
    """Says what it got; gives bytes when asked for them."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        """Remember the request, whole."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers.items()), body))
        self.answer()

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT  # noqa: N815 - http.server's names

    def answer(self):
        """`/chunked` in chunks, the rest with a length; a DELETE without a body."""
        if self.command == "DELETE":
            self.send_response(204)
            self.end_headers()
            return
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (BODY[:1], BODY[1:200_000], BODY[200_000:], b""):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            return
        if self.path == "/last":
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(BODY)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def service():
    """A service; `seen` is what came."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.daemon_threads = True
        server.seen = []
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(service):
    """The way to it."""
    with Proxy(service.url, Plan()) as proxy:
        yield proxy


@contextmanager
def connected(proxy):
    """A client's connection."""
    client = http.client.HTTPConnection("127.0.0.1", int(proxy.endpoint.rpartition(":")[2]), timeout=10)
    try:
        yield client
    finally:
        client.close()


def ask(client, method="GET", path="/", body=None, **headers):
    """A request's answer: status and body."""
    client.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = client.getresponse()
    return answer.status, answer.read()


def test_passes_everything_unchanged(proxy, service):
    """Method, path, headers and body arrive as they were sent, and the answer comes back as it was given."""
    with connected(proxy) as client:
        assert ask(client, "PUT", "/bucket/a%20b?x=%2F", BODY, X_Amz_Meta_Owner="me") == (200, BODY)

    [(method, path, headers, body)] = service.seen
    assert (method, path, body) == ("PUT", "/bucket/a%20b?x=%2F", BODY)
    assert headers["Host"] == proxy.endpoint.removeprefix("http://")
    assert headers["X-Amz-Meta-Owner"] == "me"


def test_passes_chunks_both_ways(proxy, service):
    """A body without a length passes, in a request and in an answer."""
    with connected(proxy) as client:
        pieces = iter([BODY[:7], BODY[7:100_000], BODY[100_000:]])
        client.request("PUT", "/chunked", pieces, encode_chunked=True)
        assert client.getresponse().read() == BODY
    assert service.seen[0][3] == BODY


def test_keeps_a_connection_for_many_requests(proxy, service):
    """One connection carries one request after the other, with and without bodies."""
    with connected(proxy) as client:
        for _ in range(3):
            assert ask(client) == (200, BODY)
            assert ask(client, "HEAD") == (200, b"")
            assert ask(client, "DELETE") == (204, b"")
            first = client.sock
        assert client.sock is first is not None
    assert len(service.seen) == 9


def test_passes_an_answer_that_ends_with_its_connection(proxy):
    """An answer without a length lasts until the service closes the connection."""
    with connected(proxy) as client:
        assert ask(client, "GET", "/last") == (200, BODY)
        assert ask(client) == (200, BODY)


def test_answers_an_expectation(proxy, service):
    """A client that waits for `100 Continue` before its body gets it."""
    with socket.create_connection(
        ("127.0.0.1", int(proxy.endpoint.rpartition(":")[2])), timeout=10
    ) as client:
        client.sendall(b"PUT /a HTTP/1.1\r\nHost: s3\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert client.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert client.recv(15, socket.MSG_WAITALL) == b"HTTP/1.1 200 OK"
    assert service.seen[0][3] == b"body"


def test_records_what_came(proxy):
    """Each request is recorded with what tells its operation, in order."""
    with connected(proxy) as client:
        ask(client, "GET", "/bucket?list-type=2")
        ask(client, "POST", "/", b"{}", X_Amz_Target="AmazonSQS.SendMessage")
    assert proxy.requests == [
        Request("GET", "/bucket?list-type=2", ""),
        Request("POST", "/", "AmazonSQS.SendMessage"),
    ]


@pytest.mark.parametrize(
    ("target", "said"),
    [({}, b"<Code>SlowDown</Code>"), ({"X_Amz_Target": "AmazonSQS.SendMessage"}, b"#ServiceUnavailable")],
    ids=["s3", "sqs"],
)
def test_refuses_before_the_effect(proxy, service, target, said):
    """503 in the service's own words; the service saw nothing, and the connection lives on."""
    proxy.plan.script.append(Fault.REFUSED)
    with connected(proxy) as client:
        status, body = ask(client, "PUT", "/a", BODY, **target)
        assert status == 503
        assert said in body
        assert service.seen == []
        assert ask(client, "PUT", "/a", BODY) == (200, BODY)


def test_loses_a_request(proxy, service):
    """The connection breaks, and the service saw nothing."""
    proxy.plan.script.append(Fault.LOST)
    with connected(proxy) as client, pytest.raises(GONE):
        ask(client, "PUT", "/a", BODY)
    assert service.seen == []


def test_loses_a_reply(proxy, service):
    """The connection breaks, and the service did what was asked."""
    proxy.plan.script.append(Fault.REPLY_LOST)
    with connected(proxy) as client, pytest.raises(GONE):
        ask(client, "PUT", "/a", BODY)
    assert [body for _, _, _, body in service.seen] == [BODY]


def test_cuts_a_body_in_half(proxy):
    """Half of the announced bytes come, then the connection ends."""
    proxy.plan.script.append(Fault.CUT)
    with connected(proxy) as client, pytest.raises(http.client.IncompleteRead) as error:
        ask(client)
    assert error.value.partial == BODY[: len(BODY) // 2]


def test_cuts_an_answer_without_a_body(proxy):
    """Half of its head comes."""
    proxy.plan.script.append(Fault.CUT)
    with socket.create_connection(
        ("127.0.0.1", int(proxy.endpoint.rpartition(":")[2])), timeout=10
    ) as client:
        client.sendall(b"DELETE /a HTTP/1.1\r\nHost: s3\r\n\r\n")
        head = b"".join(iter(lambda: client.recv(1_000), b""))
    assert head.startswith(b"HTTP/1.1 204")
    assert not head.endswith(b"\r\n\r\n")


def test_delays(proxy, service):
    """A delayed request has its effect and its answer."""
    proxy.plan.delay = 0.05
    proxy.plan.script.append(Fault.DELAYED)
    with connected(proxy) as client:
        assert ask(client, "PUT", "/a", BODY) == (200, BODY)
    assert len(service.seen) == 1


def test_a_plan_is_seeded():
    """The same seed throws the same faults, as many as `rate` says, and `rate` may change."""
    first, second, other = (Plan(rate=0.3, seed=seed) for seed in (7, 7, 8))
    thrown = [first.fault() for _ in range(2_000)]
    assert thrown == [second.fault() for _ in range(2_000)]
    assert thrown != [other.fault() for _ in range(2_000)]
    counts = Counter(thrown)
    assert 500 < 2_000 - counts[Fault.NONE] < 700
    assert set(counts) == {Fault.NONE, *FAULTS}
    first.rate = 0.0
    assert {first.fault() for _ in range(100)} == {Fault.NONE}


def test_a_script_comes_before_the_dice():
    """Scripted faults happen in their order, whatever the dice says."""
    plan = Plan(rate=1.0, faults=(Fault.DELAYED,))
    plan.script.extend([Fault.CUT, Fault.NONE])
    assert [plan.fault() for _ in range(3)] == [Fault.CUT, Fault.NONE, Fault.DELAYED]


def test_an_outage_refuses_and_breaks(proxy, service):
    """While cut, what was connected is broken and what comes is refused; mended, all is well on the same port."""
    with connected(proxy) as client:
        ask(client)
        proxy.cut()
        with pytest.raises(GONE):
            ask(client)
    for _ in range(2):
        with connected(proxy) as client, pytest.raises(ConnectionRefusedError):
            ask(client)
    assert len(service.seen) == 1

    proxy.mend()
    with connected(proxy) as client:
        assert ask(client) == (200, BODY)


def test_a_stall_takes_and_never_answers(proxy, service):
    """While stalled, a request is taken and nothing happens; mended, it is broken without effect."""
    proxy.stall()
    with connected(proxy) as client:
        client.request("PUT", "/a", BODY)
        until(lambda: proxy.requests, what="the request was taken")
        client.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.getresponse()
    with connected(proxy) as client:
        client.request("PUT", "/b", BODY)
        until(lambda: len(proxy.requests) == 2, what="another connection was taken")
        proxy.mend()
        with pytest.raises(GONE):
            client.getresponse()
    assert service.seen == []
    with connected(proxy) as client:
        assert ask(client, "PUT", "/c") == (200, BODY)


def test_the_service_may_be_gone():
    """Where nobody listens behind it, a client sees its connection break."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with Proxy(f"http://127.0.0.1:{port}", Plan()) as proxy, connected(proxy) as client, pytest.raises(GONE):
        ask(client)


def test_survives_what_is_not_http(proxy):
    """Nonsense ends its own connection only."""
    with socket.create_connection(
        ("127.0.0.1", int(proxy.endpoint.rpartition(":")[2])), timeout=10
    ) as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert client.recv(1) == b""
    with connected(proxy) as client:
        assert ask(client) == (200, BODY)


async def test_is_an_async_context_manager_too(service):
    """A test with a loop of its own may use it without blocking that."""
    async with Proxy(service.url) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.endpoint.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHost: s3\r\n\r\n")
        assert await reader.readexactly(15) == b"HTTP/1.1 200 OK"
        writer.close()
        await writer.wait_closed()
