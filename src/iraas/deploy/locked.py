"""requirements-ARCHITECTURE.txt -> the packages that an instance installs, each with its version and hashes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from iraas.errors import ConfigurationError

Architecture = Literal["x86_64", "arm64"]  # as EC2 calls them
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)

_FOLDER = Path(__file__).parent
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


class Pin(NamedTuple):
    """One package, as pip is to find it."""

    name: str
    version: str
    hashes: frozenset[str]  # SHA-256 of each file that it was published as, for any platform
    text: str  # its lines of the requirements file


def locked(architecture: Architecture) -> list[Pin]:
    """What `make lock` found for glibc 2.36 and Python 3.11, as Debian 12 has them, by name."""
    return read_pins(lock_file(architecture).read_text())


def lock_file(architecture: str) -> Path:
    """Where the packages of an architecture are written down. Raises `ConfigurationError` for an unknown one."""
    if architecture not in ARCHITECTURES:
        raise ConfigurationError(
            f"there is no release for {architecture!r}: the architecture is {' or '.join(ARCHITECTURES)}"
        )
    return _FOLDER / f"requirements-{architecture}.txt"


def read_pins(text: str) -> list[Pin]:
    """The packages of a requirements file that `uv pip compile --generate-hashes` wrote."""
    starts = [match.start() for match in _PIN.finditer(text)]
    blocks = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [_pin(block) for block in blocks]


def _pin(block: str) -> Pin:
    match = _PIN.match(block)
    assert match is not None
    lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
    return Pin(match[1], match[2], frozenset(_HASH.findall(block)), "\n".join(lines).rstrip() + "\n")
