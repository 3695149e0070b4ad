"""The inside of the quarantine child: pictures in by standard input, what they gave out by standard output.

Frames as `iraas.worker.quarantine` describes them. Nothing is imported here that a picture does not need: a
suspect waits for this process to start.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from typing import Literal

import msgspec

from iraas.errors import IraasError
from iraas.intake.inspect import Limits
from iraas.worker.infer import Classifier

ENVIRONMENT = "IRAAS_QUARANTINE"  # where the worker puts `ChildSettings`, as JSON
LENGTH = struct.Struct(">I")


class ChildSettings(msgspec.Struct, frozen=True):
    """What the child must know: plain values, since reading settings would cost a third of its start."""

    model: str
    engine: Literal["openvino", "onnxruntime"]
    providers: tuple[str, ...]
    limits: Limits


def serve(classifier: Callable[[], Classifier]) -> None:
    """Load the classifier, say so, and serve one worker until it closes the pipe."""
    # Native libraries may print; what they say must not get between our frames.
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    loaded = classifier()
    _send(answers, b"")
    while (data := _receive()) is not None:
        _send(answers, _answer(loaded, data))


def _answer(classifier: Classifier, data: bytes) -> bytes:
    try:
        return b"+" + msgspec.json.encode(classifier.compute(data))
    except IraasError as error:
        return f"-{error.slug}\n{error.detail}".encode()


def _receive() -> bytes | None:
    head = sys.stdin.buffer.read(LENGTH.size)
    return sys.stdin.buffer.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


def _send(descriptor: int, payload: bytes) -> None:
    frame = memoryview(LENGTH.pack(len(payload)) + payload)
    while frame:
        frame = frame[os.write(descriptor, frame) :]
