"""Size and metadata -> the first 2,048 bytes of an object's file, and back.

The header is text and of one length, so that `head -c 2048` shows it and a file's length tells its data's:

    iraas-object-1 300000
    owner<TAB>anonymous
    filename<TAB>cat.png
    NUL ... NUL
"""

from __future__ import annotations

from collections.abc import Mapping

HEADER_BYTES = 2_048  # more than MAX_METADATA_BYTES and the first line together

_MAGIC = "iraas-object-1"


def pack(size: int, metadata: Mapping[str, str]) -> bytes:
    """The header of an object with `size` bytes of data; the metadata was checked before."""
    lines = [f"{_MAGIC} {size}", *(f"{name}\t{value}" for name, value in metadata.items())]
    return "\n".join(lines).encode("ascii").ljust(HEADER_BYTES, b"\0")


def unpack(header: bytes, file_bytes: int) -> dict[str, str] | None:
    """The metadata of a file of `file_bytes` bytes; None when the file is no whole object.

    Only a power loss leaves such a file: its name was on the disk before all of its bytes were.
    """
    first, *lines = header.rstrip(b"\0").decode("latin-1").split("\n")
    if first != f"{_MAGIC} {file_bytes - HEADER_BYTES}":
        return None
    metadata = {}
    for line in lines:
        name, _, value = line.partition("\t")
        metadata[name] = value
    return metadata
