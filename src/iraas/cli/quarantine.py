"""The quarantine child: pictures in by standard input, what they gave out by standard output.

Frames as `iraas.worker.quarantine` describes them. Deaf to SIGINT and SIGTERM: its worker decides when it
ends, and it ends with its worker.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from collections.abc import Callable

import msgspec

from iraas.errors import IraasError
from iraas.fleet.lifeline import end_with_parent
from iraas.settings import load_settings
from iraas.wiring import NO_OVERRIDES, Overrides, limits, load_model
from iraas.worker.infer import Classifier

_LENGTH = struct.Struct(">I")


def run_quarantine(overrides: Overrides = NO_OVERRIDES) -> None:
    """Serve one worker until it closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_with_parent()
    # Native libraries may print; what they say must not get between our frames.
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    settings = load_settings()
    classifier = Classifier(load_model(settings, overrides), limits(settings))
    _send(answers, b"")
    while (data := _receive()) is not None:
        _send(answers, _answer(classifier.compute, data))


def _answer(compute: Callable[[bytes], object], data: bytes) -> bytes:
    try:
        return b"+" + msgspec.json.encode(compute(data))
    except IraasError as error:
        return f"-{error.slug}\n{error.detail}".encode()


def _receive() -> bytes | None:
    head = sys.stdin.buffer.read(_LENGTH.size)
    return sys.stdin.buffer.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else None


def _send(descriptor: int, payload: bytes) -> None:
    frame = memoryview(_LENGTH.pack(len(payload)) + payload)
    while frame:
        frame = frame[os.write(descriptor, frame) :]


if __name__ == "__main__":
    run_quarantine()
