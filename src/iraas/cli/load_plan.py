"""Options of `iraas load` -> the load that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

import typer

from iraas.cli.durations import seconds_of
from iraas.errors import ConfigurationError
from iraas.load.plan import Closed, Open
from iraas.scaling.trace import read_trace
from iraas.scaling.workloads import Workload, shape

CLIENTS = 32
OPEN_SECONDS = 60.0

_Read = TypeVar("_Read")


class LoadOptions(NamedTuple):
    """As they were given; None: not at all."""

    clients: int | None
    requests: int | None
    rate: float | None
    shape: str | None
    duration: str | None
    trace: Path | None
    seed: int
    max_open: int


def plan_of(options: LoadOptions, *, pictures: int) -> Closed | Open:
    """The load, for a folder of so many pictures. Raises `ConfigurationError` for options that exclude each other."""
    seconds = None if options.duration is None else _seconds(options.duration)
    if options.rate is None and options.trace is None:
        if options.shape is not None:
            raise ConfigurationError("--shape needs --rate, in pictures a second")
        requests = pictures if options.requests is None and seconds is None else options.requests
        return Closed(options.clients or CLIENTS, requests, seconds)
    if options.clients is not None or options.requests is not None:
        raise ConfigurationError(
            "--clients and --requests are for clients that wait; leave them out, or --rate and --trace"
        )
    return Open(_workload(options, seconds), options.seed, options.max_open)


def read(path: Path, option: str, parse: Callable[[Iterable[str]], _Read]) -> _Read:
    """What a file holds. Raises `ConfigurationError` with the option's name if it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return parse(lines)
    except OSError as error:
        raise ConfigurationError(f"{option} {path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise ConfigurationError(f"{option} {path}: {error}") from error


def _seconds(duration: str) -> float:
    try:
        seconds = seconds_of(duration)
    except typer.BadParameter:
        seconds = 0.0
    if seconds == 0:
        raise ConfigurationError(f"--duration is {duration!r}; say how long, like 90s, 15m, 2h or 1d")
    return seconds


def _workload(options: LoadOptions, seconds: float | None) -> Workload:
    if options.trace is not None:
        if options.rate is not None or options.shape is not None or seconds is not None:
            raise ConfigurationError(
                "--trace says when pictures are due; leave --rate, --shape and --duration out"
            )
        return read(options.trace, "--trace", read_trace)
    rate = options.rate or 0.0
    if not rate > 0:
        raise ConfigurationError(f"--rate is {rate:g}; give pictures a second, more than 0")
    try:
        return shape(
            options.shape or "steady", rate=rate, duration=seconds or OPEN_SECONDS, seed=options.seed
        )
    except ValueError as error:
        raise ConfigurationError(f"--shape, --rate: {error}") from error
