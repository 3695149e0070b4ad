"""What travels and what is stored: Job, Answer, Failure, Tombstone; their wire form, versioned.

    web --Job--> request queue --> worker --Record--> results store
                                   worker --Reply--> response queue --> web

The wire form is JSON. A reader takes what it does not know for nothing (a later version may add fields)
and refuses another `v`.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

VERSION = 1
STORED_PREDICTIONS = 100  # `top` slices this many, so that asking for more never needs a second inference


class MalformedMessage(ValueError):
    """Bytes that are not a message of ours, or one of a version that this process does not know."""


class Prediction(msgspec.Struct, frozen=True):
    """One class and its probability."""

    class_id: int  # position of the synset in sorted order
    wnid: str
    label: str
    score: float  # probability, 0 to 1


class ImageFacts(msgspec.Struct, frozen=True):
    """What the header said, and the SHA-256 of the bytes as hexadecimal."""

    format: str  # png | jpeg | webp
    width: int  # pixels
    height: int  # pixels
    sha256: str


class Timing(msgspec.Struct, frozen=True):
    """Where the time went, in milliseconds."""

    queued: float
    decode: float
    infer: float
    total: float  # from acceptance to the answer's being written


class Answer(msgspec.Struct, frozen=True, tag="done", tag_field="state"):
    """A picture's labels with their scores, best first: what a client sees."""

    id: str
    filename: str | None
    label: str
    score: float
    predictions: tuple[Prediction, ...]
    model: str  # NAME@FINGERPRINT
    image: ImageFacts
    timing_ms: Timing


class Failure(msgspec.Struct, frozen=True, tag="failed", tag_field="state"):
    """Why a job got no labels: a slug of `iraas.errors`, and the case in words."""

    id: str
    slug: str
    detail: str
    sha256: str = ""  # of the input, while it was known: the idempotency check outlives the input


class Tombstone(msgspec.Struct, frozen=True, tag="deleted", tag_field="state"):
    """What is left of an answer whose picture was deleted: no user data."""

    id: str


Outcome = Answer | Failure | Tombstone


class Record(msgspec.Struct, frozen=True):
    """An outcome as the results store keeps it under the job's id."""

    owner: str
    outcome: Outcome
    v: int = VERSION


class Reply(msgspec.Struct, frozen=True):
    """A record on its way back to the web process that asked."""

    record: Record
    busy_ms: float = 0.0  # what the picture cost its worker; 0 when nothing was computed
    v: int = VERSION


class Job(msgspec.Struct, frozen=True):
    """One request to classify one image."""

    id: str
    owner: str
    reply_to: str
    accepted_at: float  # wall time, seconds
    repeat: bool = False  # sent again: to be treated as delivered before
    v: int = VERSION


_Wire = TypeVar("_Wire", Job, Reply, Record)
_DECODERS = {kind: msgspec.json.Decoder(kind) for kind in (Job, Reply, Record)}
_ENCODER = msgspec.json.Encoder()


def encode(message: Job | Reply | Record) -> bytes:
    """A message -> its JSON."""
    return _ENCODER.encode(message)


def decode(kind: type[_Wire], data: bytes) -> _Wire:
    """JSON -> a message of `kind`. Raises `MalformedMessage`."""
    try:
        message: _Wire = _DECODERS[kind].decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedMessage(f"not a {kind.__name__}: {error}") from error
    if message.v != VERSION:
        raise MalformedMessage(f"a {kind.__name__} of version {message.v}; this process knows {VERSION}")
    return message
