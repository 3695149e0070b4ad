"""capacity -> so many worker processes: started at once, ended only while they are idle.

set(more) --> starting ... in service
set(fewer) --> idle ones: draining ... gone        busy ones stay, and are looked at again the next time
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from iraas.errors import ConfigurationError, IraasError
from iraas.fleet.child import Overseer, State
from iraas.fleet.chronicle import Chronicle
from iraas.fleet.port import FleetState
from iraas.fleet.tally import Tally
from iraas.telemetry import Log

GENTLE_SECONDS = 60.0  # for a worker that is let go: one that was idle may have taken jobs in the same moment
GRACE_SECONDS = 10.0  # for a worker's drain, which takes 8 at most
SLOW_SECONDS = 10.0  # after which a start no longer keeps others waiting: it may never end


class Member(Protocol):
    """A worker process, as `Child` is one."""

    name: str
    state: State
    failures: int

    @property
    def pid(self) -> int | None:
        """Of the process that lives now."""
        ...

    async def keep(self) -> None:
        """Run it until `stop`."""
        ...

    async def stop(self, *, grace: float, gently: float = 0.0) -> None:
        """End it; gently: let it finish all that it holds."""
        ...


class Crew:
    """The workers of one machine. Their leases end when they die, not half a minute later."""

    def __init__(
        self,
        *,
        make: Callable[[str, Overseer], Member],
        owners: Callable[[], Awaitable[Collection[str]]],
        end_leases: Callable[[str], Awaitable[object]],
        chronicle: Chronicle,
        tally: Tally,
        on_change: Callable[[], None],
        may_give_up: Callable[[], bool],
        starts_at_once: int,
    ) -> None:
        self.wanted = 0  # workers, as `set` last said
        self.error: BaseException | None = None  # that ended the keeping of one of them
        self._make = make
        self._owners = owners
        self._end_leases = end_leases
        self._chronicle = chronicle
        self._tally = tally
        self._on_change = on_change
        self._may_give_up = may_give_up
        self._starts_at_once = starts_at_once  # a start is computation: with more at once, each is later
        self._members: list[Member] = []  # the oldest first
        self._queued: list[Member] = []  # of them, those whose start has to wait
        self._begun_at: dict[Member, float] = {}  # loop time, of starts under way
        self._leaving: dict[Member, asyncio.Task[None]] = {}
        self._keepers: dict[Member, asyncio.Task[None]] = {}
        self._busy = 0
        self._closed = False

    def state(self) -> FleetState:
        """How many there are, and of which kind."""
        states = [member.state for member in self._members]
        in_service = states.count("in service")
        draining = len(self._leaving) + states.count("draining")
        # Who failed to start is no capacity that is on its way: nothing may wait for it.
        starting = sum(member.state == "starting" and not member.failures for member in self._members)
        return FleetState(in_service, starting, min(self._busy, in_service), draining)

    async def set(self, capacity: int) -> None:
        """Have so many, or as near to it as busy workers allow. To be repeated until `state` agrees."""
        if self._closed:
            return
        self.wanted = capacity
        while len(self._members) < capacity:
            self._hire()
        if len(self._members) > capacity:
            await self._dismiss(len(self._members) - capacity)
        self._begin()

    async def count_busy(self) -> int:
        """Workers that hold jobs now. Raises `BackendUnavailable`."""
        self._busy = len({str(member.pid) for member in self._members}.intersection(await self._owners()))
        self._chronicle.write(self.state(), at_once=False)
        return self._busy

    async def close(self) -> None:
        """End all of them, side by side, and what was ending already."""
        self._closed = True
        self._queued.clear()
        await asyncio.gather(
            *(member.stop(grace=GRACE_SECONDS) for member in (*self._members, *self._leaving))
        )
        await asyncio.gather(*self._leaving.values(), *self._keepers.values(), return_exceptions=True)

    def changed(self) -> None:
        """A worker's state is another one."""
        self._begin()
        self._chronicle.write(self.state(), at_once=True)
        self._on_change()

    def booted(self, seconds: float) -> None:
        """A worker was ready so long after its start."""
        self._chronicle.booted(seconds)

    def said(self, line: str) -> None:
        """A worker reports what it has done."""
        self._tally.hear(line)

    def failed(self, name: str, why: str, *, misconfigured: bool) -> None:
        """A worker could not start. At the start of the service, one that never will ends it."""
        if misconfigured and self._may_give_up():
            raise ConfigurationError(f"the {name} process could not start; what it said stands above")
        reason = f"{name} could not start: {why}; what it said stands in the log, and it is tried again"
        self._chronicle.trouble("start", reason, capacity=self.wanted)

    async def died(self, pid: int) -> None:
        """Give back what a dead worker held, and forget what it noted."""
        try:
            await self._end_leases(str(pid))
        except (IraasError, OSError) as error:  # they run out by themselves
            Log()("background.failed", level="warning", task="end leases", error=str(error))

    def _hire(self) -> None:
        taken = {member.name for member in (*self._members, *self._leaving)}
        numbers = range(1, len(taken) + 2)
        name = next(name for name in (f"worker-{number}" for number in numbers) if name not in taken)
        member = self._make(name, self)
        self._members.append(member)
        self._queued.append(member)

    def _begin(self) -> None:
        """Start who waits for it, as far as those that are starting leave room."""
        now = asyncio.get_running_loop().time()
        self._begun_at = {
            member: at
            for member, at in self._begun_at.items()
            if member in self._keepers and member.state == "starting" and not member.failures
        }
        starting = sum(now - at < SLOW_SECONDS for at in self._begun_at.values())
        for member in self._queued[: max(0, self._starts_at_once - starting)]:
            self._queued.remove(member)
            self._begun_at[member] = now
            self._keepers[member] = keeper = asyncio.create_task(member.keep())
            keeper.add_done_callback(functools.partial(self._kept, member))

    async def _dismiss(self, many: int) -> None:
        """End those that cannot start, then those that start, then idle ones, the newest first; never a busy one."""
        try:
            owners = set(await self._owners())
        except IraasError:  # nobody knows who is busy
            return
        idle = [member for member in self._members if str(member.pid) not in owners]
        failing = [member for member in idle if member.failures]
        working = [member for member in idle if not member.failures and member.state == "in service"]
        starting = [member for member in idle if not member.failures and member.state != "in service"]
        for member in [*reversed(failing), *reversed(starting), *reversed(working)][:many]:
            self._members.remove(member)
            if member in self._queued:
                self._queued.remove(member)
                continue
            self._leaving[member] = asyncio.create_task(self._end(member, self._keepers[member]))

    async def _end(self, member: Member, keeper: asyncio.Task[None]) -> None:
        try:
            await member.stop(grace=GRACE_SECONDS, gently=GENTLE_SECONDS)
            await asyncio.wait({keeper})
        finally:
            del self._leaving[member]
            self.changed()

    def _kept(self, member: Member, task: asyncio.Task[None]) -> None:
        del self._keepers[member]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.error = self.error or error
            self._on_change()
