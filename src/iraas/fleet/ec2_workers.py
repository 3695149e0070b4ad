"""each worker's /metrics -> does one of them hold a job?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

from iraas.errors import BackendUnavailable

GAUGE = "iraas_worker_held"
ANSWER_SECONDS = 2.0
ALL_SECONDS = 4.0  # for all of them: EC2 gives two minutes' notice, and who asks looks for that, too
MOST_BYTES = 1_000_000


def serve(ports: Sequence[int]) -> bool:
    """Whether each worker takes jobs. Raises `BackendUnavailable`."""
    return all(_held_by(port) is not None for port in ports)


def held_by(port: int) -> int:
    """Jobs that the worker on 127.0.0.1:`port` holds; one that is not there, or only starts, holds none.

    Raises `BackendUnavailable` for one that is there and does not say.
    """
    return _held_by(port) or 0


def _held_by(port: int) -> int | None:
    """None: it takes no jobs yet."""
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", f"/metrics?name[]={GAUGE}")  # this one number, as prometheus_client has it
        response = connection.getresponse()
        text = response.read(MOST_BYTES).decode("utf-8", "replace")
        if response.status != 200:
            raise BackendUnavailable(f"worker on port {port}: its numbers gave {response.status}")
        return _held(text)
    except ConnectionRefusedError:
        return None
    except (OSError, HTTPException, ValueError) as error:
        raise BackendUnavailable(f"worker on port {port}: {type(error).__name__}: {error}") from None
    finally:
        connection.close()


def is_busy(ports: Sequence[int]) -> bool:
    """Whether a worker holds a job. Raises `BackendUnavailable` where one does not say, and no other is busy.

    When many are silent, not all are asked.
    """
    unknown = None
    until = time.monotonic() + ALL_SECONDS
    for port in ports:
        if unknown is not None and time.monotonic() >= until:
            break
        try:
            if held_by(port):
                return True
        except BackendUnavailable as error:
            unknown = error
    if unknown is not None:
        raise unknown
    return False


def _held(text: str) -> int | None:
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == GAUGE:
            return int(float(value))
    return None
