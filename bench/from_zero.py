"""No worker, then a burst of 100 pictures: how soon the first is answered, and all."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path

from tests.service import Service

from bench.folders import DATA
from bench.session import Session
from bench.spread import Spread
from iraas import AsyncClient
from iraas.errors import IraasError

NAMES = ("from_zero_first_answer_s", "from_zero_all_answered_s", "from_zero_lost")
PICTURES = 100
MAXIMUM = 2  # workers: as many as the goals are for
SETTLE_SECONDS = 1.0  # after the start of the web process, which takes its share of the two cores


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return _rounds(quick)


def measure(session: Session) -> None:
    """Put the figures of `NAMES`; each round has a service of its own, which has never had a worker."""
    first: list[float] = []
    last: list[float] = []
    for number in range(_rounds(session.quick)):
        session.step(f"from zero: round {number + 1}")
        answered = _burst(session.pictures.load)
        first.append(min(answered))
        last.append(max(answered))
        lost = PICTURES - len(answered)
        session.put("from_zero_lost", lost + (session.results["from_zero_lost"].value if number else 0))
    session.put("from_zero_first_answer_s", Spread.of(first))
    session.put("from_zero_all_answered_s", Spread.of(last))


def _burst(pictures: Path) -> list[float]:
    """Seconds from the burst's begin to each answer."""
    DATA.mkdir(parents=True, exist_ok=True)
    data = [path.read_bytes() for path in sorted(pictures.iterdir())]
    with Service(DATA / "from-zero", minimum=0, maximum=MAXIMUM) as service:
        time.sleep(SETTLE_SECONDS)
        return asyncio.run(_ask(service.url, list(itertools.islice(itertools.cycle(data), PICTURES))))


async def _ask(url: str, burst: list[bytes]) -> list[float]:
    answered: list[float] = []

    async def ask(client: AsyncClient, picture: bytes) -> None:
        try:
            await client.classify(picture, filename="picture.png", wait=60)
        except IraasError:
            return  # it counts as lost
        answered.append(time.monotonic() - begun)

    async with AsyncClient(url, retries=0) as client, asyncio.TaskGroup() as group:
        begun = time.monotonic()
        for picture in burst:
            group.create_task(ask(client, picture))
    return answered


def _rounds(quick: bool) -> int:
    return 1 if quick else 5
