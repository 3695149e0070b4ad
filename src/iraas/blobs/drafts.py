"""Header and data -> a draft: a file, whole, that no reader knows of yet. Blocking; paths relative to `root`.

A draft's name begins with its writer's process id, so that whoever opens the store next can tell whether
anybody still writes it.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from iraas.blobs.layout import NEW

_PROCESS = secrets.token_hex(4)  # containers that share a folder may share process ids
_SERIAL = itertools.count()


def write_draft(root: int, header: bytes, data: bytes | memoryview, *, power: bool) -> str:
    """Write a new file below the folder of descriptor `root`, through to the disk with `power`: its path."""
    path = f"{NEW}/{os.getpid()}-{_PROCESS}-{next(_SERIAL)}"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=root)
    try:
        written = os.writev(fd, (header, data))
        if written < len(header) + len(data):  # a full disk takes a part, and says why the next time
            rest = memoryview(header + data)[written:]
            while rest:
                rest = rest[os.write(fd, rest) :]
        if power:
            os.fsync(fd)
    except BaseException:
        drop_draft(root, path)
        raise
    finally:
        os.close(fd)
    return path


def drop_draft(root: int, path: str) -> None:
    """Remove a draft, unless it was renamed to its place."""
    with suppress(FileNotFoundError):
        os.unlink(path, dir_fd=root)


def drop_abandoned_drafts(root: int) -> None:
    """Remove the drafts of processes that are gone."""
    with _opened(root, NEW) as folder, os.scandir(folder) as found:
        names = [draft.name for draft in found]
    for name in names:
        process = name.partition("-")[0]
        if process.isdecimal() and not _lives(int(process)):
            drop_draft(root, f"{NEW}/{name}")


def sync_folder(root: int, path: str) -> None:
    """Bring a folder's list of names to the disk."""
    with _opened(root, path) as folder:
        os.fsync(folder)


@contextmanager
def locked_folder(root: int, path: str) -> Iterator[None]:
    """Keep out whoever else asks for the lock of this folder, in any process."""
    with _opened(root, path) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)  # ends with the descriptor
        yield


@contextmanager
def _opened(root: int, path: str) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY, dir_fd=root)
    try:
        yield fd
    finally:
        os.close(fd)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, and alive
        return True
    return True
