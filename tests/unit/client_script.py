"""A script in place of the server, and a clock that only pauses move."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from iraas.client_protocol import Conversation, Conversations, Pause, Request
from iraas.client_responses import Lost, Response
from iraas.errors import IraasError

ID = "0198c6a4-0000-7000-8000-000000000001"
URL = "http://iraas.test:8080"
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
}


def says(status: int, body: Any = None, **headers: str) -> Response:
    """A scripted response; a body that is no bytes becomes JSON, `retry_after=…` the header of that name."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


DONE = says(200, ANSWER)
PENDING = says(202, {"id": ID, "state": "pending"}, location=f"/v1/images/{ID}", retry_after="1")
GONE = says(204, b"")
RESET = Lost("ReadError: connection reset by peer")


def problem(error: type[IraasError], **members: Any) -> Response:
    """The problem details of an error."""
    return says(error.status, {"type": error.slug, "status": error.status, **members})


class PausedClock:
    """Time that passes only in pauses."""

    boot_id = "test"

    def __init__(self) -> None:
        self.now = 1_000.0

    def time(self) -> float:
        """Seconds."""
        return self.now

    def boot(self) -> float:
        """Seconds."""
        return self.now


@dataclass
class Play:
    """A conversation that was played to its end."""

    clock: PausedClock = field(default_factory=PausedClock)
    result: Any = None
    error: IraasError | None = None
    requests: list[Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def keys(self) -> set[str]:
        """The idempotency keys that came with images."""
        return {request.headers["Idempotency-Key"] for request in self.requests if request.carries_image}


def play(
    call: Callable[[Conversations], Conversation[Any]],
    script: Iterable[Response | Lost],
    *,
    retries: int = 4,
    jitter: float = 0.5,
) -> Play:
    """Carry a conversation out against a script. After the script's end, its last line is repeated."""
    played = Play()
    lines, line, outcome = iter(script), None, None
    conversation = call(Conversations(URL, retries=retries, clock=played.clock, jitter=lambda: jitter))
    try:
        while True:
            step = conversation.send(outcome)
            if isinstance(step, Pause):
                played.pauses.append(step.seconds)
                played.clock.now += step.seconds
                outcome = None
            else:
                played.requests.append(step)
                outcome = line = next(lines, line)
    except StopIteration as end:
        played.result = end.value
    except IraasError as error:
        played.error = error
    return played
