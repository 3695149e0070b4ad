"""The object-store port: bytes under a key, with metadata. What it promises is numbered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Protocol


class BlobInfo(NamedTuple):
    """What is known of an object without its bytes."""

    key: str
    size: int  # bytes of data
    modified_at: float  # wall time, seconds
    metadata: Mapping[str, str]


class Blob(NamedTuple):
    """An object."""

    data: bytes
    info: BlobInfo


class Blobs(Protocol):
    """Bytes under a key.

    1. `put` is atomic: no reader ever sees half an object, also when the writer dies.
    2. What `put` returned for is there, and readable by every process, at once.
    3. With `if_absent`, `put` never overwrites, and says who won: exactly one of any number of writers.
    4. `delete` of what is not there succeeds.
    5. `list` gives keys in the order of their `rank`, which is the same in any two stores of a kind: what is
       in both can be found by reading both once.

    A key is one to four parts of `A-Z a-z 0-9 . _ -` joined by `/`, none of them `.` or `..`, 200 characters
    at most. Metadata names are `[a-z0-9_-]+`, values printable ASCII, 2,000 bytes in all. Anything else
    raises `ValueError` before the store is touched. Every method raises `BackendUnavailable` when the store
    cannot be reached, and `put` raises `OutOfRoom` when it is full.
    """

    at_once: int  # calls that are worth making side by side; 1 where a call does not wait

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """Store an object; False when `if_absent` found one there."""
        ...

    async def get(self, key: str) -> Blob | None:
        """The object, or None."""
        ...

    async def head(self, key: str) -> BlobInfo | None:
        """What is known of the object, or None."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        ...

    def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Every object whose key starts with `prefix`, in the order of `rank`; metadata may be left empty.

        `prefix` is empty or ends with `/`. With the empty prefix only keys of one part are listed, so that
        `dead-letters/` and `superseded/` do not mix with the answers.
        """
        ...

    def rank(self, key: str) -> tuple[int, str]:
        """Where `key` stands in a list of its prefix: what is smaller comes before it."""
        ...

    async def close(self) -> None:
        """Give back what this object holds open; the objects stay."""
        ...
