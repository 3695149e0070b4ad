"""Key and bytes -> one file below a folder, whole or not there at all. Blocking; knows no event loop.

An object is written as a draft, then linked (`if_absent`) or renamed to its place. Paths are relative to the
folder's descriptor: short to walk, and the same folder for life.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from iraas.blobs.drafts import drop_draft, locked_folder, open_drafts, sync_folder, write_draft
from iraas.blobs.header import HEADER_BYTES, unpack
from iraas.blobs.layout import SHARDS, key_of, parent_of, path_of, shard_of, split_prefix
from iraas.blobs.port import Blob, BlobInfo
from iraas.blobs.tally import footprint
from iraas.clock import SystemClock


class Folder:
    """The objects below `root`, for any number of processes. Every method raises `OSError`.

    With `power`, what `put` returned for is on the disk: the file, its name, and its folder's name.
    """

    def __init__(self, root: Path, *, power: bool) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        self._power = power
        self._clock = SystemClock()
        self._torn: dict[tuple[str, int], set[str]] = {}  # names by prefix and shard, once looked through
        self._fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        open_drafts(self._fd)

    def put(self, key: str, header: bytes, data: bytes | memoryview, *, if_absent: bool) -> int | None:
        """Bytes of disk that the object before it took, 0 without one; None when `if_absent` found one."""
        publish = self._link if if_absent else self._replace
        draft = write_draft(self._fd, header, data, power=self._power)
        try:
            try:
                replaced = publish(draft, key)
            except FileNotFoundError:  # the first object of its shard
                self._make_shard(key)
                replaced = publish(draft, key)
        finally:
            drop_draft(self._fd, draft)
        if self._power:  # for the loser too: it goes on to tell others what the winner wrote
            sync_folder(self._fd, parent_of(path_of(key)))
        return replaced

    def get(self, key: str) -> Blob | None:
        """The object, or None."""
        return self._read(key, with_data=True)

    def head(self, key: str) -> BlobInfo | None:
        """What is known of the object, or None."""
        blob = self._read(key, with_data=False)
        return blob.info if blob else None

    def present(self, keys: Iterable[str]) -> set[str]:
        """Those of `keys` that have an object."""
        return {key for key in keys if self.head(key)}

    def delete(self, keys: Iterable[str]) -> int:
        """Remove the objects that are there: the bytes of disk that they took."""
        freed = 0
        for path in map(path_of, keys):
            with suppress(FileNotFoundError), locked_folder(self._fd, parent_of(path)):
                taken = self._footprint(path)
                os.unlink(path, dir_fd=self._fd)
                freed += taken
        return freed

    def scan(self, prefix: str) -> Iterator[BlobInfo]:
        """Every object whose key starts with `prefix`, in the order of their rank, without metadata.

        Holds one shard's names at once. What a power loss left of an object is passed over, as in `head`: only
        a file from before this boot can be that, and each of those is opened once.
        """
        self._must_exist()
        folder, start = split_prefix(prefix)
        booted_at = self._clock.time() - self._clock.boot()
        for number in range(SHARDS):
            try:
                with os.scandir(self._root / folder / shard_of(number)) as found:
                    entries = sorted(
                        (entry for entry in found if entry.name.startswith(start)),
                        key=lambda entry: entry.name,
                    )
            except FileNotFoundError:
                continue
            known = self._torn.get((prefix, number))
            torn = set() if known is None else known
            for entry in entries:
                try:
                    stat = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # deleted since
                    continue
                if stat.st_size < HEADER_BYTES:
                    continue
                key = key_of(folder, entry.name)
                if stat.st_mtime < booted_at:
                    if known is None and self.head(key) is None:
                        torn.add(entry.name)
                    if entry.name in torn:
                        continue
                yield BlobInfo(key, stat.st_size - HEADER_BYTES, stat.st_mtime, {})
            self._torn[prefix, number] = torn

    def free_bytes(self) -> int:
        """What the file system has left for this user."""
        disk = os.statvfs(self._fd)
        return disk.f_bavail * disk.f_frsize

    def close(self) -> None:
        """Give the descriptor back; a second time does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _link(self, draft: str, key: str) -> int | None:
        while True:
            try:
                os.link(draft, path_of(key), src_dir_fd=self._fd, dst_dir_fd=self._fd)
            except FileExistsError:
                if not self._clear_torn(key):
                    return None
            else:
                return 0

    def _replace(self, draft: str, key: str) -> int:
        path = path_of(key)
        with locked_folder(self._fd, parent_of(path)):
            replaced = self._footprint(path)
            os.rename(draft, path, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        return replaced

    def _clear_torn(self, key: str) -> bool:
        """Remove what a power loss left of an object, or it would win for ever: is the key free now?"""
        path = path_of(key)
        with locked_folder(self._fd, parent_of(path)):
            try:
                os.stat(path, dir_fd=self._fd, follow_symlinks=False)
            except FileNotFoundError:  # nothing to clear; a whole one may be linked here any moment
                return True
            # What is there now stays until this lock ends: a link does not replace, the rest takes the lock.
            if self.head(key):
                return False
            os.unlink(path, dir_fd=self._fd)
            return True

    def _read(self, key: str, *, with_data: bool) -> Blob | None:
        try:
            fd = os.open(path_of(key), os.O_RDONLY, dir_fd=self._fd)
        except FileNotFoundError:
            self._must_exist()
            return None
        try:
            stat = os.fstat(fd)
            metadata = unpack(os.read(fd, HEADER_BYTES), stat.st_size)
            if metadata is None:
                return None
            size = stat.st_size - HEADER_BYTES
            # Apart from the header: cutting that off would copy, at ten times the price of the read.
            data = os.read(fd, size) if with_data else b""
        finally:
            os.close(fd)
        return Blob(data, BlobInfo(key, size, stat.st_mtime, metadata))

    def _footprint(self, path: str) -> int:
        """Bytes of disk that a file takes; 0 when there is none."""
        try:
            return footprint(os.stat(path, dir_fd=self._fd).st_size - HEADER_BYTES)
        except FileNotFoundError:
            return 0

    def _make_shard(self, key: str) -> None:
        shard = parent_of(path_of(key))
        for folder in (parent_of(shard), shard):
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700, dir_fd=self._fd)
            if self._power:
                sync_folder(self._fd, parent_of(folder))

    def _must_exist(self) -> None:
        """A folder that was removed looks empty; say so instead."""
        if os.fstat(self._fd).st_nlink == 0:
            raise FileNotFoundError(2, "the folder was removed")
