"""What travels and what is stored: Job, Answer, Failure, Tombstone; their wire form, versioned.

    web --Job--> request queue --> worker --Record--> results store
                                   worker --Reply--> response queue --> web

The wire form is JSON. A reader takes what it does not know for nothing (a later version may add fields)
and refuses another `v`.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

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
    worker: str = ""  # who computed it, by a name that no other living worker has
    v: int = VERSION


class Job(msgspec.Struct, frozen=True):
    """One request to classify one image."""

    id: str
    owner: str
    reply_to: str
    accepted_at: float  # wall time, seconds
    repeat: bool = False  # sent again: to be treated as delivered before
    v: int = VERSION


class DeadLetter(msgspec.Struct, frozen=True):
    """A job that nobody could finish, as the results store keeps it under `dead-letters/ID`."""

    id: str  # of the job; of a message that was none, `malformed-` and the start of its SHA-256
    owner: str
    reason: str
    at: float  # wall time, seconds
    body: bytes = b""  # of a message that was no job: a later version may read it
    v: int = VERSION


MAX_REASON_CHARACTERS = 1_000  # of a dead letter's reason and a failure's detail; what is longer is cut
MAX_DEAD_BODY_BYTES = 262_144  # that a dead letter keeps; a job of ours has some hundred


_Wire = TypeVar("_Wire", Job, Reply, Record, DeadLetter)
_DECODERS = {kind: msgspec.json.Decoder(kind) for kind in (Job, Reply, Record, DeadLetter)}
_ENCODER = msgspec.json.Encoder()
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

MAX_FILENAME_BYTES = 255  # what file systems take; percent-encoded it stays under S3's 2 KB of metadata


class InputFacts(NamedTuple):
    """What the input object's metadata say of a picture. S3 takes ASCII under 2 KB there."""

    owner: str
    image: ImageFacts
    accepted_at: float  # wall time, seconds
    filename: str | None

    def metadata(self) -> dict[str, str]:
        """These facts as metadata; the file name cut to `MAX_FILENAME_BYTES` and percent-encoded."""
        facts = {
            "owner": self.owner,
            "sha256": self.image.sha256,
            "format": self.image.format,
            "width": str(self.image.width),
            "height": str(self.image.height),
            "accepted-at": f"{self.accepted_at:.6f}",
        }
        if self.filename is not None:
            cut = self.filename.encode(errors="replace")[:MAX_FILENAME_BYTES].decode(errors="ignore")
            facts["filename"] = urllib.parse.quote(cut)
        return facts

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> InputFacts:
        """The facts that `metadata` wrote. Raises `KeyError` or `ValueError` for an object of another kind."""
        filename = metadata.get("filename")
        return cls(
            owner=metadata["owner"],
            image=ImageFacts(
                format=metadata["format"],
                width=int(metadata["width"]),
                height=int(metadata["height"]),
                sha256=metadata["sha256"],
            ),
            accepted_at=float(metadata["accepted-at"]),
            filename=None if filename is None else urllib.parse.unquote(filename),
        )


DEAD_LETTERS = "dead-letters/"  # prefix of their records in the results store
SUPERSEDED = "superseded/"  # prefix of the failures that a redrive moved aside


def is_id(text: str) -> bool:
    """Whether this is an id of ours: a UUID in small letters."""
    return _UUID.fullmatch(text) is not None


def encode(message: Job | Reply | Record | DeadLetter) -> bytes:
    """A message -> its JSON."""
    return _ENCODER.encode(message)


def decode(kind: type[_Wire], data: bytes) -> _Wire:
    """JSON -> a message of `kind`. Raises `MalformedMessage`."""
    try:
        message: _Wire = _DECODERS[kind].decode(data)  # type: ignore[assignment]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedMessage(f"not a {kind.__name__}: {error}") from error
    if isinstance(message, Job) and not is_id(message.id):
        raise MalformedMessage("a Job whose id is no UUID")
    if message.v != VERSION:
        raise MalformedMessage(f"a {kind.__name__} of version {message.v}; this process knows {VERSION}")
    return message
