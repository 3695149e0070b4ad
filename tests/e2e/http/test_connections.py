"""More connections than the service takes."""

from __future__ import annotations

from contextlib import ExitStack

from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import client_of
from tests.e2e.http.wire import Wire
from tests.waiting import until

AT_MOST = 8


def test_one_connection_too_many_is_refused_in_words(start):
    """Beyond the limit a connection is told so at once; when another one ends there is room again."""
    service = start(MAX_CONNECTIONS=str(AT_MOST))
    with ExitStack() as open_ones:
        wires = [open_ones.enter_context(Wire(service)) for _ in range(AT_MOST)]
        for wire in wires:
            wire.head("GET /livez")
            assert wire.response().status_code == 200

        with Wire(service) as late:
            response = late.response()
            assert late.rest() == b""
        assert_problem(response, "out-of-room")

        for wire in wires:  # nobody who was there before is hurt
            wire.head("GET /livez")
            assert wire.response().status_code == 200

    with client_of(service) as client:
        until(lambda: client.get("/livez").status_code == 200, what="there is room again")
