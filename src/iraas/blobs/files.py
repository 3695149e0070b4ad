"""The object store of one machine: keys and bytes -> files. Also says how full it is, and refuses beyond."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

from iraas.blobs.folder import Folder
from iraas.blobs.header import pack
from iraas.blobs.keys import check_key, check_metadata, check_prefix
from iraas.blobs.layout import rank_of
from iraas.blobs.port import Blob, BlobInfo
from iraas.blobs.tally import Tally, footprint
from iraas.errors import BackendUnavailable, IraasError, OutOfRoom
from iraas.lane import Call, Lane

_LIST_STEP = 256  # objects that `list` looks at before others have their turn: 0.5 ms

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_P = ParamSpec("_P")
_T = TypeVar("_T")


class FileBlobs:
    """Objects as files below a folder; keeps the promises of `Blobs` among all processes of a machine.

    `durability`: what a put survives, every crash of a process or a power loss too. `inline`: work in the
    calling thread (a worker, which has nothing else to do) instead of one thread of this object's own.
    `max_bytes`: disk that the objects may take, by `tally`; that knows the puts and deletes of this object,
    and learns what was there before, and what other processes do, when `Retention` counts.
    Raises `BackendUnavailable` when the folder cannot be opened.
    """

    at_once = 1

    def __init__(
        self,
        root: Path,
        *,
        durability: Literal["process", "power"] = "process",
        inline: bool = False,
        max_bytes: int | None = None,
    ) -> None:
        self.root = root.absolute()
        self.tally = Tally(max_bytes)
        try:
            self._folder = Folder(self.root, power=durability == "power")
        except OSError as error:
            raise self._in_words(error) from error
        self._lane = None if inline else Lane(_serve, name=f"blobs-{root.name}")

    async def put(
        self,
        key: str,
        data: bytes | memoryview,
        *,
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
    ) -> bool:
        """Store an object; False when `if_absent` found one there."""
        check_key(key)
        check_metadata(metadata or {})
        taken = footprint(len(data))
        self.tally.take(taken)
        replaced: int | None = None
        try:
            header = pack(len(data), metadata or {})
            replaced = await self._run(self._folder.put, key, header, data, if_absent=if_absent)
        except OutOfRoom:  # says the disk
            self.tally.refuse(taken)
            raise
        finally:
            self.tally.give_back(taken if replaced is None else replaced)
        return replaced is not None

    async def get(self, key: str) -> Blob | None:
        """The object, or None; None also for what a power loss left of one."""
        check_key(key)
        return await self._run(self._folder.get, key)

    async def head(self, key: str) -> BlobInfo | None:
        """What is known of the object, or None."""
        check_key(key)
        return await self._run(self._folder.head, key)

    async def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        await self.delete_many((key,))

    async def delete_many(self, keys: Collection[str]) -> int:
        """Remove the objects that are there, in one go: keep it small. Returns bytes of disk."""
        for key in keys:
            check_key(key)
        freed = await self._run(self._folder.delete, keys)
        self.tally.give_back(freed)
        return freed

    async def present(self, keys: Collection[str]) -> set[str]:
        """Those of `keys` that have an object."""
        for key in keys:
            check_key(key)
        return await self._run(self._folder.present, keys)

    def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Every object whose key starts with `prefix` (`Blobs.list`), without metadata."""
        check_prefix(prefix)
        return self._stream(prefix)

    async def _stream(self, prefix: str) -> AsyncIterator[BlobInfo]:
        found = self._folder.scan(prefix)
        while step := await self._run(_next_step, found):
            for info in step:
                yield info

    def rank(self, key: str) -> tuple[int, str]:
        """Where `key` stands in a list of its prefix."""
        return rank_of(key)

    async def free_bytes(self) -> int:
        """What the disk has left, in bytes."""
        return await self._run(self._folder.free_bytes)

    async def close(self) -> None:
        """Give back descriptor and thread; the objects stay."""
        if self._lane is not None:
            self._lane.close()  # serves what was asked for
        self._folder.close()

    async def _run(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            if self._lane is None:
                return call(*args, **kwargs)
            return await self._lane.run(Call(lambda _: call(*args, **kwargs)))
        except OSError as error:
            raise self._in_words(error) from error

    def _in_words(self, error: OSError) -> IraasError:
        if error.errno in _NO_ROOM:
            return OutOfRoom(
                f"no room for another object in {self.root}: {error.strerror}; free some, or move the folder"
            )
        return BackendUnavailable(f"the objects in {self.root} cannot be reached: {error.strerror}")


def _serve(calls: list[Call[None, Any]]) -> None:
    """What many tasks ask for at once costs one wake-up of the thread and one of the loop."""
    for call in calls:
        try:
            call.result = call.work(None)
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            call.fail(error, because=error)


def _next_step(found: Iterator[BlobInfo]) -> tuple[BlobInfo, ...]:
    return tuple(islice(found, _LIST_STEP))
