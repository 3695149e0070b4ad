"""Key -> path below the store's folder, and back.

    <root>/~new/2c/...                  drafts: what is being written
    <root>/~3f/<id>                     the key <id>
    <root>/dead-letters/~a0/<id>        the key dead-letters/<id>
    <root>/superseded/~07/<id>+2        the key superseded/<id>/2

A key has neither `~` nor `+`, so no key can name a shard, reach a draft, or meet another's path.
"""

from __future__ import annotations

from zlib import crc32

NEW = "~new"
SHARDS = 256  # two million answers are eight thousand a folder


def path_of(key: str) -> str:
    """The path of an object's file, relative to the root."""
    folder, slash, rest = key.partition("/")
    name = rest.replace("/", "+") if slash else folder
    shard = shard_of(crc32(name.encode()) % SHARDS)
    return f"{folder}/{shard}/{name}" if slash else f"{shard}/{name}"


def rank_of(key: str) -> tuple[int, str]:
    """Where a key stands in a list of its prefix: by its shard, and by its name there."""
    _, slash, rest = key.partition("/")
    name = rest.replace("/", "+") if slash else key
    return crc32(name.encode()) % SHARDS, name


def key_of(folder: str, name: str) -> str:
    """The key of a file called `name` in a shard of `folder` (empty for keys of one part)."""
    return f"{folder}/{name.replace('+', '/')}" if folder else name


def shard_of(number: int) -> str:
    """The name of a shard's folder."""
    return f"~{number:02x}"


def split_prefix(prefix: str) -> tuple[str, str]:
    """A prefix -> the folder to look through, and how the names of the files begin there."""
    folder, _, rest = prefix.partition("/")
    return folder, rest.replace("/", "+")


def parent_of(path: str) -> str:
    """The folder that a relative path lies in; `.` for the root."""
    return path.rpartition("/")[0] or "."
