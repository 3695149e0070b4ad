"""A minute in which everything fails: workers die, a web process is replaced, calls fail, messages come twice."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import time
from contextlib import suppress

import pytest
from tests.chaos.crowd import Crowd, books_when_quiet
from tests.deployment import Deployment, Tier, free_port
from tests.service import WITH_REPLACEMENTS
from tests.waiting import until

SEEDS = int(os.environ.get("IRAAS_CHAOS_SEEDS", "1"))  # 20 for the figure in docs/figures.md
SECONDS = 60.0  # at least: a slow machine needs longer for what is to happen
LEAST_KILLED, LEAST_PICTURES = 10, 100
RATE = 0.1  # of the calls fail, half of them after their effect
KILL_EVERY_SECONDS = 2.0
ANSWERED_WITHIN_SECONDS = 40.0  # after the end of the faults; some 30 are what a killed worker held


def works(worker: Tier) -> bool:
    """Whether it takes jobs by now."""
    return any(line["event"] == "worker.started" for line in worker.events())


class Mayhem:
    """A deployment whose processes die and are replaced."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self._deployment = deployment
        self._dice = random.Random(seed)
        self._ports = [free_port(), free_port()]
        self.webs = [self._web(port) for port in self._ports]
        self.workers: list[Tier] = deployment.workers(3)
        self.killed = 0

    def _web(self, port: int) -> Tier:
        return self._deployment.web(IRAAS_PORT=str(port))

    async def kill_workers(self) -> None:
        """SIGKILL to a worker every two seconds, and another one in its place; until cancelled.

        Only while another one works: where starts take longer than two seconds, nobody ever would.
        """
        while True:
            await asyncio.sleep(KILL_EVERY_SECONDS)
            victim = self._dice.randrange(len(self.workers))
            others = self.workers[:victim] + self.workers[victim + 1 :]
            await asyncio.to_thread(until, lambda: any(map(works, others)), what="somebody works")  # noqa: B023
            await asyncio.to_thread(self.workers[victim].kill)
            self.workers[victim] = self._deployment.worker()
            self.killed += 1

    async def replace_a_web_process(self) -> None:
        """SIGKILL to one of them, and another one at its address."""
        await asyncio.sleep(SECONDS / 3)
        await asyncio.to_thread(self.webs[0].kill)
        self.webs[0] = await asyncio.to_thread(self._web, self._ports[0])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_minute_of_everything_loses_and_doubles_nothing(sqs, s3, tmp_path, seed, record_property):
    """Accepted = answered, one answer a job, nobody gets another's, no innocent is a dead letter."""
    raging = tmp_path / "raging"
    raging.touch()
    settings = {"IRAAS_TEST_MODEL": "0.005", "IRAAS_TEST_FAULTS": f"{seed} {RATE} {raging}"}
    with Deployment(sqs, s3, tmp_path, command=WITH_REPLACEMENTS, settings=settings) as deployment:
        mayhem = Mayhem(deployment, seed)
        crowds = [Crowd(web.url, concurrency=16) for web in mayhem.webs]
        over = time.monotonic() + SECONDS
        numbers = itertools.count()

        def lasts():
            answered = sum(crowd.done for crowd in crowds)
            return time.monotonic() < over or mayhem.killed < LEAST_KILLED or answered <= LEAST_PICTURES

        def while_it_lasts():
            while lasts():
                yield next(numbers)

        killing = asyncio.create_task(mayhem.kill_workers())
        replacing = asyncio.create_task(mayhem.replace_a_web_process())
        posting = [asyncio.create_task(crowd.post_while(while_it_lasts())) for crowd in crowds]
        while lasts() and not killing.done():  # noqa: ASYNC110 - processes, clock and clients: no event says it
            await asyncio.sleep(0.1)
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
        await replacing
        raging.unlink()
        ended = time.monotonic()
        shares = await asyncio.gather(*posting)
        books = await books_when_quiet(deployment.settings)
        took = time.monotonic() - ended

        accepted = {answer.id for crowd in crowds for answer in crowd.answers.values()}
        record_property("pictures", sum(map(len, shares)))
        record_property("workers killed", mayhem.killed)
        record_property("seconds after the faults", round(took, 1))
        for crowd, share in zip(crowds, shares, strict=True):
            crowd.check_everyone_was_answered_right(share)
        books.check(accepted)
        assert len(books.records) == len(accepted) == sum(map(len, shares)) > LEAST_PICTURES
        assert mayhem.killed >= LEAST_KILLED
        assert took < ANSWERED_WITHIN_SECONDS
