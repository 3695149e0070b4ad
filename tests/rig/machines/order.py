"""What a keeper is told to keep: the words that cross the line between the rig and `keeper`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Root:
    """The file system of a booted instance; `root.enter` says what each is."""

    room: Path
    lower: tuple[Path, ...]
    hostname: str
    hypervisor: str
    upper: Path | None = None
    binds: tuple[tuple[Path, str], ...] = ()

    def words(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "room": str(self.room),
            "lower": [str(each) for each in self.lower],
            "upper": str(self.upper or ""),
            "binds": [[str(source), place] for source, place in self.binds],
            "hostname": self.hostname,
            "hypervisor": self.hypervisor,
        }


@dataclass(frozen=True, kw_only=True)
class Order:
    """An instance: what it runs as PID 1, and in what surroundings."""

    command: list[str]  # the program's path first
    environment: dict[str, str]
    output: Path  # what PID 1 and its children write goes to the end of this file
    sweep: Path  # the rig's folder; removed when the rig dies and cannot
    folder: str = "/"  # where PID 1 begins, inside
    namespaces: bool = True
    users: bool = False  # in a user namespace too, so that no privilege is needed
    addresses: tuple[str, ...] = ()  # of `lo`, beside 127.0.0.1
    listen: tuple[tuple[str, int], ...] = field(default=())  # where the rig answers, inside
    cgroup: str = ""  # name of a cgroup of its own; empty: none
    root: Root | None = None  # None: the machine's own files

    def words(self) -> dict[str, Any]:
        """As JSON takes it."""
        words = asdict(self)
        words["output"], words["sweep"] = str(self.output), str(self.sweep)
        words["root"] = self.root.words() if self.root else None
        return words
