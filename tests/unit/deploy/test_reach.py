"""Whether a service answers, and the line that asks it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.unit.deploy.aws import refused

from iraas.deploy.reach import answers, request_place, wait_until_it_answers

ARN = "arn:aws:acm:us-east-1:123456789012:certificate/1-2"


class Web(BaseHTTPRequestHandler):
    """Answers what it is told to, in turn; the last for ever."""

    statuses: list[int]

    def do_GET(self) -> None:
        """Only /livez is there."""
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        self.send_response(status if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""


@pytest.fixture
def web() -> Iterator[ThreadingHTTPServer]:
    """A server on a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def address(web: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{web.server_port}"


def test_it_answers_or_it_does_not(web):
    """200 on /livez; a balancer without targets says 503, and a name that is not there nothing."""
    Web.statuses = [200]
    assert answers(address(web))
    Web.statuses = [503]
    assert not answers(address(web))
    assert not answers("http://127.0.0.1:1")
    assert not answers("https://127.0.0.1:1")


def test_it_is_asked_until_it_does(web):
    """Two refusals, then an answer."""
    Web.statuses = [503, 503, 200]
    rested: list[float] = []
    assert wait_until_it_answers(address(web), lambda _: None, most=60, rest=rested.append)
    assert len(rested) == 2


def test_it_is_not_asked_for_ever(web):
    """After the time that was given, it is told that nobody answers."""
    Web.statuses = [503]
    now = [0.0]
    passed: list[float] = []
    assert not wait_until_it_answers(
        address(web), passed.append, most=12, rest=lambda s: now.append(now[-1] + s), clock=lambda: now[-1]
    )
    assert passed == [0.0, 5.0, 10.0, 12.0]


@pytest.mark.parametrize(
    ("domain", "name"), [("iraas.example.com", "iraas.example.com"), ("*.example.com", "iraas.example.com")]
)
def test_https_is_asked_under_the_name_of_the_certificate(domain, name, aws):
    """Before a DNS record leads there, curl is told where the name is."""
    aws.on("acm", "DescribeCertificate", lambda **_: {"Certificate": {"DomainName": domain}})
    place, options = request_place(aws.account(), "https://balancer.example", ARN)
    assert place == f"https://{name}"
    assert options == f"--connect-to {name}:443:balancer.example:443 "


def test_who_may_not_ask_for_the_certificate_still_gets_a_line(aws):
    """With a place for the name; and without a certificate the balancer's own name will do."""

    def denied(**_: object) -> dict[str, object]:
        raise refused("AccessDeniedException")

    aws.on("acm", "DescribeCertificate", denied)
    assert request_place(aws.account(), "https://balancer.example", ARN)[0] == "https://YOUR-NAME"
    assert request_place(aws.account(), "http://balancer.example", "") == ("http://balancer.example", "")
