"""What SQLite and the system say becomes our two errors, in words."""

import errno
import sqlite3
from types import SimpleNamespace

import pytest

from iraas.errors import BackendUnavailable, OutOfRoom
from iraas.queues import connection
from iraas.queues.connection import in_words


def sqlite_error(kind, code):
    """An error as SQLite raises it."""
    error = kind("words of SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_FULL), OutOfRoom, "no room"),
        (OSError(errno.ENOSPC, "no space"), OutOfRoom, "no room"),
        (OSError(errno.EDQUOT, "quota"), OutOfRoom, "no room"),
        (OSError(errno.EACCES, "permission denied"), BackendUnavailable, "permission denied"),
        (sqlite_error(sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT), BackendUnavailable, "is damaged"),
        (sqlite_error(sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT_INDEX), BackendUnavailable, "is damaged"),
        (sqlite_error(sqlite3.DatabaseError, sqlite3.SQLITE_NOTADB), BackendUnavailable, "is damaged"),
        (sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_BUSY), BackendUnavailable, "words of SQLite"),
        (sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_IOERR_WRITE), BackendUnavailable, "words of"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path, error, kind, words):
    """Each error names the file, and is of the kind that a caller can act on."""
    said = in_words(error, tmp_path / "queue.sqlite3")
    assert type(said) is kind
    assert words in said.detail
    assert "queue.sqlite3" in said.detail


def test_a_failed_write_on_a_full_disk_is_out_of_room(tmp_path, monkeypatch):
    """SQLite does not say why the system refused to write; a disk without room does."""
    usage = SimpleNamespace(free=4096)
    monkeypatch.setattr(connection.shutil, "disk_usage", lambda path: usage)
    error = sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_IOERR_WRITE)
    assert type(in_words(error, tmp_path / "queue.sqlite3")) is OutOfRoom


def test_a_bug_stays_a_bug(tmp_path):
    """An error that no backend made is given on as it is."""
    for error in (KeyError("a bug"), sqlite3.ProgrammingError("a bug"), sqlite3.IntegrityError("a bug")):
        assert in_words(error, tmp_path / "queue.sqlite3") is error
