"""A stand-in for SQS and S3, in small: moto's server, a process on a free port of 127.0.0.1.

Run as `python -m tests.doubles.moto`, it says its port on standard output, and ends when standard input does.
"""

from __future__ import annotations

import os
import sys
import threading
from datetime import timedelta
from typing import Any

from tests.doubles.program import WithClock

ADVANCE = "/_iraas/advance/"


class Moto(WithClock):
    """The server, while the `with` block runs. Queues and buckets live in its memory."""

    def __init__(self) -> None:
        super().__init__(
            [sys.executable, "-m", "tests.doubles.moto"], quiet=True
        )  # else a line for each request


def serve() -> None:
    """Serve until standard input ends."""
    from moto.core import utils
    from moto.moto_server.werkzeug_app import (  # only the server needs it, and it takes a second
        DomainDispatcherApplication,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    moto, now, ahead = DomainDispatcherApplication(create_backend_app), utils.utcnow, timedelta()
    utils.utcnow = lambda: now() + ahead
    alone = threading.Lock()  # moto looks, and puts later: of two threads that put if absent both could win

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        nonlocal ahead
        path = environ["PATH_INFO"]
        if "HTTP_IF_NONE_MATCH" in environ:
            with alone:
                return moto(environ, start_response)
        if not path.startswith(ADVANCE):
            return moto(environ, start_response)
        ahead += timedelta(seconds=float(path.removeprefix(ADVANCE)))
        start_response("200 OK", [])
        return []

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=_end_with_input, daemon=True).start()
    print(server.server_port, flush=True)  # noqa: T201 - whoever started this reads it
    server.serve_forever()


def _end_with_input() -> None:
    sys.stdin.read()  # whoever started this is gone, however it ended
    os._exit(0)


if __name__ == "__main__":
    serve()
