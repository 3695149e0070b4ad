"""A key, a prefix or metadata -> nothing, or ValueError in words; asked before a store is touched."""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_KEY_CHARACTERS = 200  # a file name ends at 255 bytes
MAX_METADATA_BYTES = 2_000  # names, values and 2 bytes an entry; S3 takes 2,048 without the 2

_PART = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+"  # neither `.` nor `..`
_KEY = re.compile(rf"{_PART}(?:/{_PART}){{0,3}}")
_NAME = re.compile(r"[a-z0-9_-]+")  # S3 gives names back in small letters
_VALUE = re.compile(r"[ -~]*")  # printable ASCII: a header field on S3, a line of a file here


def check_key(key: str) -> None:
    """Raise `ValueError` unless `key` is one to four parts of `A-Z a-z 0-9 . _ -` joined by `/`."""
    if len(key) > MAX_KEY_CHARACTERS or not _KEY.fullmatch(key):
        raise ValueError(
            f"{key[:80]!r} is not a key: one to four parts of A-Z a-z 0-9 . _ - joined by /, none of them "
            f"`.` or `..`, {MAX_KEY_CHARACTERS} characters at most"
        )


def check_prefix(prefix: str) -> None:
    """Raise `ValueError` unless `prefix` is empty, or a key and `/`."""
    if prefix and not prefix.endswith("/"):
        raise ValueError(f"{prefix[:80]!r} is not a prefix: it is empty or ends with /")
    if prefix:
        check_key(prefix[:-1])


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raise `ValueError` unless names and values are plain ASCII and small enough for every store."""
    for name, value in metadata.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is not a metadata name: it is made of a-z 0-9 _ -")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the metadata {name} is not printable ASCII; percent-encode it: {value[:80]!r}")
    size = sum(len(name) + len(value) + 2 for name, value in metadata.items())
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"metadata of {size} bytes; {MAX_METADATA_BYTES} are the most")
