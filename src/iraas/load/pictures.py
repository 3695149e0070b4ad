"""folder -> multipart forms, each made once and sent any number of times."""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path

from iraas.errors import ConfigurationError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
MEMORY_BYTES = 512_000_000  # of forms that are kept; the pictures beyond are read whenever they are sent


class Pictures:
    """The pictures below a folder, in the order of their paths. Raises `ConfigurationError` if there is none."""

    def __init__(self, folder: Path, *, field: str = "file", memory: int = MEMORY_BYTES) -> None:
        self._boundary = f"iraas-{uuid.uuid4().hex}"
        self._field = field
        self._paths = _below(folder)
        self.names = [_printable(path.relative_to(folder).as_posix()) for path in self._paths]
        self._forms: list[bytes] = []
        for path in self._paths:
            if memory <= 0:
                break
            self._forms.append(self._form(path))
            memory -= len(self._forms[-1])

    @property
    def content_type(self) -> str:
        """The header that each form is sent with."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __len__(self) -> int:
        return len(self._paths)

    async def form(self, number: int) -> bytes:
        """The body that carries picture `number`. Raises `OSError` if it lies on disk and is gone."""
        if number < len(self._forms):
            return self._forms[number]
        return await asyncio.to_thread(self._form, self._paths[number])

    def _form(self, path: Path) -> bytes:
        # RFC 7578, 4.2, and the HTML standard's form encoding: UTF-8, with these three characters percent-encoded.
        name = os.fsencode(path.name).replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")
        opening = f'--{self._boundary}\r\nContent-Disposition: form-data; name="{self._field}"; filename="'
        kind = '"\r\nContent-Type: application/octet-stream\r\n\r\n'
        closing = f"\r\n--{self._boundary}--\r\n"
        return b"".join((opening.encode(), name, kind.encode(), path.read_bytes(), closing.encode()))


def _printable(name: str) -> str:
    """A file's name as it can be printed and written: what is no UTF-8, or steers a terminal, as an escape."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def _below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder; give one that holds pictures")
    found = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
    )  # is_file: a pipe would block
    if not found:
        raise ConfigurationError(f"no picture (png, jpg, jpeg, webp) below {folder}")
    return found
