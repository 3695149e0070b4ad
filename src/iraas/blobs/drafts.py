"""Header and data -> a draft: a file, whole, that no reader knows of yet. Blocking; paths relative to `root`.

A draft's name begins with its writer's process id, so that whoever opens the store next can tell whether
anybody still writes it.

Drafts take turns among folders that lie far apart on the disk. An ext4 without a journal looks at every file
deleted in the last minutes before it makes one in the same block group: with a single folder of drafts, 6,000
deletes made the next puts 1.2 ms slower each; among 64 folders nothing is to be measured.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from iraas.blobs.layout import NEW, parent_of

_PROCESS = secrets.token_hex(4)  # containers that share a folder may share process ids
_SERIAL = itertools.count()
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL

_FOLDERS = 64  # drafts take turns among these; see the module's docstring
_GET_FLAGS, _SET_FLAGS = 0x8008_6601, 0x4008_6602  # FS_IOC_GETFLAGS, FS_IOC_SETFLAGS of linux/fs.h, 64 bits
_TOPDIR = 0x0002_0000  # FS_TOPDIR_FL; `chattr +T`


def open_drafts(root: int) -> None:
    """Have a folder of drafts below the folder of descriptor `root`, without what dead processes left there."""
    with suppress(FileExistsError):
        os.mkdir(NEW, 0o700, dir_fd=root)
    with _opened(root, NEW) as drafts:
        _spread_over_disk(drafts)
        for name in _names(drafts):
            with _opened(drafts, name) as folder:
                _drop_abandoned(folder)


def write_draft(root: int, header: bytes, data: bytes | memoryview, *, power: bool) -> str:
    """Write a new file, through to the disk with `power`: its path."""
    serial = next(_SERIAL)
    path = f"{NEW}/{serial % _FOLDERS:02x}/{os.getpid()}-{_PROCESS}-{serial}"
    try:
        fd = os.open(path, _NEW_FILE, 0o600, dir_fd=root)
    except FileNotFoundError:  # the first draft of its folder
        with suppress(FileExistsError):
            os.mkdir(parent_of(path), 0o700, dir_fd=root)
        fd = os.open(path, _NEW_FILE, 0o600, dir_fd=root)
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


def _drop_abandoned(folder: int) -> None:
    for name in _names(folder):
        process = name.partition("-")[0]
        if process.isdecimal() and not _lives(int(process)):
            drop_draft(folder, name)


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as found:
        return [entry.name for entry in found]


def _spread_over_disk(folder: int) -> None:
    """Ask ext4 to give each folder below this one a block group of its own."""
    with suppress(OSError):  # other file systems do not know the flag
        (flags,) = struct.unpack("l", fcntl.ioctl(folder, _GET_FLAGS, struct.pack("l", 0)))
        fcntl.ioctl(folder, _SET_FLAGS, struct.pack("l", flags | _TOPDIR))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, and alive
        return True
    return True
