"""path -> a SQLite file open the way the queues need it; its errors -> ours, in words.

WAL mode: readers never wait, and what was committed survives the crash of any process; with `power`, of
the machine too. https://www.sqlite.org/wal.html, https://www.sqlite.org/rescode.html
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path
from typing import Literal

from iraas.errors import BackendUnavailable, OutOfRoom
from iraas.queues.queries import queries

__all__ = ["Connection", "StorageErrors", "connect", "in_words"]

SCHEMA_VERSION = 1
BUSY_SECONDS = 10.0  # only for whoever writes without our gate, such as a shell on the file
CHECKPOINT_PAGES = 4_000  # 16 MB of journal before it is folded into the file
JOURNAL_BYTES = 64_000_000  # a journal that grew beyond this is cut back
FULL_DISK_BYTES = 1 << 20  # a write that failed with less than this free failed for want of room

Connection = sqlite3.Connection
StorageErrors = (sqlite3.Error, OSError)


def connect(path: Path, *, durability: Literal["process", "power"], patient: bool) -> Connection:
    """Open or make the file, private to its owner, with our tables in it. One process at a time.

    A `patient` process leaves the folding of the journal, and the fsync in it, to the others for longer.
    Raises `BackendUnavailable` for a later version's file, and `StorageErrors`.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        path.chmod(0o600)  # SQLite gives its journal the same mode
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
        connection.execute(f"PRAGMA fullfsync = {durability == 'power'}")  # macOS: past the disk's own cache
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES * (4 if patient else 1)}")
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
        _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def in_words(error: BaseException, path: Path) -> BaseException:
    """What SQLite or the system said -> our error, naming the file and the mend; anything else as it is."""
    match error:
        case sqlite3.Error() | OSError() if _is_for_want_of_room(error, path):
            return OutOfRoom(f"no room on the disk for {path}: free some")
        case sqlite3.DatabaseError() if _primary_code(error) in {
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        }:
            return BackendUnavailable(
                f"{path} is damaged ({error}): stop iraas, move the file away and start again; "
                "images without an answer are then queued anew"
            )
        case sqlite3.OperationalError():
            return BackendUnavailable(f"{path}: {error}")
        case OSError():
            return BackendUnavailable(f"{path}: {error.strerror}")
        case _:
            return error


def _bring_up_to_date(connection: Connection, path: Path) -> None:
    [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    if version > SCHEMA_VERSION:
        raise BackendUnavailable(f"{path} was made by a newer iraas: run that one, or use another folder")
    if version < SCHEMA_VERSION:
        connection.executescript(queries()["schema"])
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _is_for_want_of_room(error: sqlite3.Error | OSError, path: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    if _primary_code(error) == sqlite3.SQLITE_IOERR:  # no errno with it
        return shutil.disk_usage(path.parent).free < FULL_DISK_BYTES
    return _primary_code(error) == sqlite3.SQLITE_FULL


def _primary_code(error: sqlite3.Error) -> int:
    """The result code without its extension: 779 is a corrupt index, 11 any corruption."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
