"""bytes <-> what SQS takes as a message's body: text of some characters, not empty, 1 MiB at most."""

from __future__ import annotations

import base64
import re

MAX_BYTES = 1_048_576  # of a message, and of all messages of a request together
BINARY = "base64:"  # what follows is base64

# "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF", SendMessage in the API reference,
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html. What lies above
# #xFFFD goes as base64 all the same: not every implementation takes it, and no message of ours has it.
_TEXT = re.compile(r"[\t\n\r\x20-\uD7FF\uE000-\uFFFD]+")


def to_text(body: bytes) -> str:
    """The body as SQS takes it. Raises `ValueError` for one that is too large."""
    text = _as_it_is(body) or BINARY + base64.b64encode(body).decode()
    if size(text) > MAX_BYTES:
        raise ValueError(f"a message of {size(text):,} bytes; SQS takes {MAX_BYTES:,}")
    return text


def size(text: str) -> int:
    """What SQS counts, in bytes."""
    return len(text) if text.isascii() else len(text.encode())


def from_text(text: str) -> bytes:
    """What was sent. A body that only looks like ours is handed on as it is: somebody will find it malformed."""
    if text.startswith(BINARY):
        try:
            return base64.b64decode(text[len(BINARY) :], validate=True)
        except ValueError:
            pass
    return text.encode("utf-8", "surrogatepass")


def _as_it_is(body: bytes) -> str:
    """The text that the bytes are, or nothing where SQS or `from_text` would not give the same bytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ""
    return text if _TEXT.fullmatch(text) and not text.startswith(BINARY) else ""
