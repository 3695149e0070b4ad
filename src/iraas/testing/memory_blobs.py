"""The object store as a dictionary: for tests of what stands on one, and the contract's second witness."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from iraas.blobs.keys import check_key, check_metadata, check_prefix
from iraas.blobs.port import Blob, BlobInfo
from iraas.clock import Clock, SystemClock


class MemoryBlobs:
    """Objects in memory, for one event loop; gone with it. Keeps the promises of `Blobs`."""

    def __init__(self, *, clock: Clock | None = None, at_once: int = 1) -> None:
        self.at_once = at_once  # as a store on a network would say
        self._clock = clock or SystemClock()
        self._objects: dict[str, Blob] = {}

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """Store an object; False when `if_absent` found one there."""
        check_key(key)
        check_metadata(metadata or {})
        if if_absent and key in self._objects:
            return False
        self._objects[key] = Blob(
            bytes(data), BlobInfo(key, len(data), self._clock.time(), dict(metadata or {}))
        )
        return True

    async def get(self, key: str) -> Blob | None:
        """The object, or None."""
        check_key(key)
        return self._objects.get(key)

    async def head(self, key: str) -> BlobInfo | None:
        """What is known of the object, or None."""
        blob = await self.get(key)
        return blob.info if blob else None

    async def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        check_key(key)
        self._objects.pop(key, None)

    def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Every object whose key starts with `prefix`; with the empty one, keys of one part."""
        check_prefix(prefix)
        return self._stream(prefix)

    async def _stream(self, prefix: str) -> AsyncIterator[BlobInfo]:
        for key, blob in sorted(self._objects.items()):
            if key.startswith(prefix) and (prefix or "/" not in key):
                yield blob.info

    def rank(self, key: str) -> tuple[int, str]:
        """Where `key` stands in a list."""
        return 0, key

    async def close(self) -> None:
        """Nothing is held open."""
