"""What each measurement is given, and where it puts its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.service import WITH_REPLACEMENTS, Service

from bench.folders import DATA
from bench.pictures import Pictures
from bench.spread import Spread

WORKERS = 2  # as many as the goals are for


@dataclass
class Session:
    """One run of the bench."""

    pictures: Pictures
    quick: bool
    step: Callable[[str], None]  # the progress bar: what begins now
    results: dict[str, Spread] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # for who reads the table

    def put(self, name: str, value: Spread | float) -> None:
        """Keep a figure."""
        self.results[name] = value if isinstance(value, Spread) else Spread.exactly(value)

    @contextmanager
    def service(self, *, model: str = "fast", folder: str = "iraas") -> Iterator[Service]:
        """`iraas up` with two workers. Its data folder stays: emptying one slows the file system for minutes."""
        with Service(_data(folder), workers=WORKERS, model=model) as service:
            yield service

    @contextmanager
    def timed_service(self, seconds_a_picture: float, **settings: str) -> Iterator[Service]:
        """The same with a model that takes a given time, and no CPU."""
        replaced = {**settings, "IRAAS_TEST_MODEL": str(seconds_a_picture)}
        with Service(
            _data("timed"), workers=WORKERS, settings=replaced, command=WITH_REPLACEMENTS
        ) as service:
            yield service


def _data(folder: str) -> Path:
    DATA.mkdir(parents=True, exist_ok=True)
    return DATA / folder
