"""Processes -> the CPU seconds and the memory that they took, from /proc."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import psutil


def family(root: psutil.Process) -> list[psutil.Process]:
    """A process and all its descendants."""
    return [root, *root.children(recursive=True)]


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """User and system time of the processes and of the children that they have waited for.

    Of a whole family the sum only grows: what a child took goes to its parent when it dies.
    """
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def resident_mb(processes: Iterable[psutil.Process]) -> float:
    """Sum of what each has in memory; a page that two share is counted twice."""
    return sum(process.memory_info().rss for process in processes) / 1e6


def proportional_mb(processes: Iterable[psutil.Process]) -> float:
    """The same with each shared page divided among those who share it: what the machine really gives."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
