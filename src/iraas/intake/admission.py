"""owner -> admitted | Overloaded. Refuse at the door what could not be answered in time."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import Counter
from collections.abc import Awaitable, Callable

from iraas.clock import Clock
from iraas.errors import BackendUnavailable, Overloaded
from iraas.fleet.port import Fleet
from iraas.queues.port import Depth

NEVER_REFUSED = 256  # waiting jobs: a burst of a hundred into a sleeping service gets its answers
FIRST_GUESS_SECONDS = 0.02  # of one picture on one worker, until a reply tells
REPLIES_WANTED = 1 / 16  # of the jobs that nobody waits for: enough to measure the service time
SMOOTHING = 0.05  # weight of the newest reply in the service time
STALE_FACTOR = 5.0  # times `sample_seconds`: an older sample is not used, a younger one is replaced meanwhile


class Admission:
    """Knows how long a new job would wait, and how much of that each owner causes.

    Estimated wait = (visible + in flight) * service time / workers in service or starting. Below
    `NEVER_REFUSED` waiting jobs nobody is refused. With several keys, one may hold at most its fair share
    of the rest: an equal part among those who have jobs waiting, and never more than half.
    """

    def __init__(
        self,
        *,
        depth: Callable[[], Awaitable[Depth]],
        fleet: Fleet,
        clock: Clock,
        max_backlog_seconds: float,
        owners: Callable[[], int] = lambda: 1,
        sample_seconds: float = 0.25,
    ) -> None:
        self._depth = depth
        self._fleet = fleet
        self._clock = clock
        self._max_backlog_seconds = max_backlog_seconds
        self._sample_seconds = sample_seconds
        self._sampling: asyncio.Task[None] | None = None
        self._owners = owners  # keys, which may come and go
        self._service_seconds = FIRST_GUESS_SECONDS
        self._measured = False
        self._sample = Depth(0, 0, 0.0)
        self._sampled_at = -math.inf
        self._since_sample = 0
        self._owner_of: dict[str, str] = {}
        self._unseen: list[
            tuple[float, str]
        ] = []  # a heap: when a job without a reply will be over, its owner
        self._unwanted = 0.0  # replies that were not asked for, since the last that was
        self._held: Counter[str] = Counter()

    @property
    def sample(self) -> Depth:
        """The queue's depth when it was last asked."""
        return self._sample

    @property
    def _waiting(self) -> int:
        """Jobs that wait or are worked on, as far as is known."""
        return self._sample.visible + self._sample.in_flight + self._since_sample

    async def admit(self, owner: str) -> None:
        """Let one more job in. Raises `Overloaded` with the seconds after which a retry may succeed."""
        await self._look()
        self._forget_the_unseen()
        waiting = self._waiting
        if waiting < NEVER_REFUSED:
            return
        per_job = self._per_job
        wait = waiting * per_job
        if wait > self._max_backlog_seconds:
            raise Overloaded(
                f"{waiting} images are waiting, which takes about {wait:.0f} s",
                retry_after=max(1.0, wait - self._max_backlog_seconds),
            )
        room = max(NEVER_REFUSED, self._max_backlog_seconds / per_job)
        if self._owners() > 1 and self._held[owner] >= room / max(2, len(self._held | Counter({owner: 1}))):
            raise Overloaded(
                f"your key has {self._held[owner]} images waiting, which is its share",
                retry_after=max(1.0, self._held[owner] * per_job / 2),
            )

    def wants_a_reply(self) -> bool:
        """Whether the next job's reply is worth its price though nobody waits for it."""
        self._unwanted += REPLIES_WANTED
        wanted = self._unwanted >= 1
        self._unwanted -= wanted
        return wanted

    def accepted(self, job_id: str, owner: str, *, replied: bool = True) -> None:
        """A job of `owner` was sent. Without a reply it counts for as long as it is likely to wait."""
        self._since_sample += 1
        if not replied:
            over_at = self._clock.boot() + self._waiting * self._per_job
            heapq.heappush(self._unseen, (over_at, owner))
            self._held[owner] += 1
        elif job_id not in self._owner_of:
            self._owner_of[job_id] = owner
            self._held[owner] += 1

    def answered(self, job_id: str, busy_ms: float = 0.0) -> None:
        """A job's answer was seen; `busy_ms` is what it cost its worker, when it said so."""
        if busy_ms > 0:
            weight = SMOOTHING if self._measured else 1.0
            self._service_seconds += weight * (busy_ms / 1000 - self._service_seconds)
            self._measured = True
        owner = self._owner_of.pop(job_id, None)
        if owner is not None:
            self._release(owner)

    @property
    def _per_job(self) -> float:
        """Seconds between two answers, when all workers work."""
        return self._service_seconds / max(1, self._fleet.state().capacity)

    def _forget_the_unseen(self) -> None:
        now = self._clock.boot()
        while self._unseen and self._unseen[0][0] <= now:
            _, owner = heapq.heappop(self._unseen)
            self._release(owner)

    def _release(self, owner: str) -> None:
        self._held[owner] -= 1
        self._held += Counter()  # drops the owners that hold nothing

    async def _look(self) -> None:
        """Know a depth that is young enough. Who is let in anyway does not wait for the next one."""
        age = self._clock.boot() - self._sampled_at
        if age < self._sample_seconds:
            return
        if age < STALE_FACTOR * self._sample_seconds and self._waiting < NEVER_REFUSED:
            if self._sampling is None or self._sampling.done():
                self._sampling = asyncio.create_task(self._ask())
            return
        await self._ask()

    async def _ask(self) -> None:
        self._sampled_at = self._clock.boot()
        try:
            self._sample = await self._depth()
        except BackendUnavailable:
            return  # the send that follows will say so, in the words of the right error
        self._since_sample = 0
        if self._sample.visible + self._sample.in_flight == 0:
            self._unseen.clear()
            self._owner_of.clear()  # replies can be lost; an empty queue proves that nobody waits
            self._held.clear()
