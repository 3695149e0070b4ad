"""wanted capacity, time -> instances that boot, serve, fail, are interrupted and end, and what they cost. Pure.

`Group` is an Auto Scaling group in a simulation: it keeps what it was told to have. It has no clock: whoever simulates
asks for `next`, lets `due` happen, and says `set` when a policy decided.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from heapq import heappop, heappush

from numpy.random import Generator

from iraas.scaling.instances import Boot, Event, Spot, State, not_negative


class _Instance:
    """One of the group."""

    __slots__ = ("billed_from", "in_service_at", "state")

    def __init__(self, billed_from: float) -> None:
        self.state: State = "pending"
        self.billed_from = billed_from
        self.in_service_at = math.inf


class Group:
    """Instances of an Auto Scaling group, by number; a lower number was launched earlier.

    1. What failed or was interrupted is launched again while fewer remain than are wanted, as Auto Scaling replaces
       what is unhealthy. One with a notice counts until it is gone: capacity rebalancing is off by default.
    2. With `protect_busy` (instance scale-in protection, which our workers set) a scale-in takes idle instances, the
       oldest first, then those that still boot, and leaves the rest for the next `set`. Without it, it takes the
       oldest, busy or not: Auto Scaling does not know who is busy.
    3. Whoever is taken has `hook` seconds for what it holds (a lifecycle hook's Terminating:Wait); `drained` ends them.
    4. Each second is billed from EC2's state running until the end, and at least `billed_at_least` of them.
    """

    def __init__(
        self,
        boot: Boot,
        rng: Generator,
        *,
        spot: Spot | None = None,
        hook: float = 0.0,
        protect_busy: bool = True,
        billed_at_least: float = 60.0,  # seconds; Amazon EC2 On-Demand Pricing: by the second, at least 60
    ) -> None:
        not_negative("hook", hook)
        self.boot, self.spot, self.hook = boot, spot, hook
        self.protect_busy, self.billed_at_least = protect_busy, billed_at_least
        self.wanted = 0
        self.in_service = self.pending = self.noticed = self.terminating = 0  # instances in each state
        self._rng = rng
        self._instances: dict[int, _Instance] = {}
        self._events: list[Event] = []  # a heap; may hold some for instances that ended or changed since
        self._launched = 0
        self._booting: list[
            float
        ] = []  # a heap: when those that boot now are done, where only some may at once
        self._billed = 0.0

    @property
    def capacity(self) -> int:
        """Instances that count against what is wanted: all but the terminating ones."""
        return self.pending + self.in_service + self.noticed

    @property
    def next(self) -> float:
        """Time of the next event; infinity if there is none. It may turn out to be none: see `due`."""
        return self._events[0].at if self._events else math.inf

    def instances(self, state: State) -> list[int]:
        """Those in a state, the oldest first."""
        return [number for number, instance in self._instances.items() if instance.state == state]

    def warming(self, now: float, warmup: float) -> int:
        """Instances that are no current capacity yet for a policy of this warm-up.

        "Set the default instance warmup for an Auto Scaling group": it begins when the instance comes into service.
        """
        if not warmup:
            return self.pending
        since = now - warmup
        return self.pending + sum(
            instance.state == "in service" and instance.in_service_at > since
            for instance in self._instances.values()
        )

    def billed(self, now: float) -> float:
        """Seconds of instances to pay for so far; what runs still is counted up to `now`."""
        return self._billed + sum(self._cost(instance, now) for instance in self._instances.values())

    def launch(self, now: float, count: int = 1, *, ready: bool = False) -> None:
        """Launch more than were wanted; `ready` ones are in service at once, as at the start of a simulation."""
        self.wanted = max(self.wanted, self.capacity + count)
        for _ in range(count):
            self._launch(now, ready=ready)

    def set(self, now: float, wanted: int, busy: Collection[int] | int = ()) -> list[int]:
        """Have `wanted` instances from now on. `busy`: who works, or how many do. Returns who was taken."""
        self.wanted = wanted
        self._fill(now)
        taken = self._surplus(busy)
        for number in taken:
            instance = self._instances[number]
            self._move(instance, "terminating")
            if self.hook and instance.in_service_at < math.inf:
                heappush(self._events, Event(now + self.hook, number, "ended"))
            else:
                self._end(number, now)
        return taken

    def drained(self, now: float, instance: int) -> None:
        """A terminating instance has ended what it held: its hook is completed, and it goes."""
        if instance in self._instances and self._instances[instance].state == "terminating":
            self._end(instance, now)

    def due(self, now: float) -> list[Event]:
        """Let happen what happens up to `now`, replacements included, and tell it in order."""
        happened: list[Event] = []
        while self._events and self._events[0].at <= now:
            event = heappop(self._events)
            instance = self._instances.get(event.instance)
            if instance is not None and self._happen(event, instance):
                happened.append(event)
        return happened

    def _happen(self, event: Event, instance: _Instance) -> bool:
        at, number, change = event
        if change == "in service":
            if instance.state != "pending":
                return False
            self._move(instance, "in service")
            instance.in_service_at = at
        elif change == "noticed":
            if instance.state == "terminating":
                return False
            self._move(instance, "noticed")
            notice = self.spot.notice if self.spot else 0.0
            heappush(self._events, Event(at + notice, number, "interrupted"))
        else:
            self._end(number, at)
            if change != "ended":
                self._fill(at)
        return True

    def _launch(self, now: float, *, ready: bool = False) -> None:
        number = self._launched
        self._launched += 1
        seconds, failed = (0.0, False) if ready else self.boot.draw(self._rng)
        seconds += 0.0 if ready else self._turn(now, seconds)
        unbilled = min(seconds, self.boot.api + self.boot.pending)
        instance = self._instances[number] = _Instance(now + unbilled)
        self.pending += 1
        if ready:
            self._move(instance, "in service")
            instance.in_service_at = -math.inf  # warm since long
        else:
            heappush(self._events, Event(now + seconds, number, "failed" if failed else "in service"))
        if self.spot and (interrupted := self.spot.next(self._rng)) < math.inf:
            heappush(self._events, Event(now + interrupted, number, "noticed"))

    def _turn(self, now: float, seconds: float) -> float:
        """How long a launch waits until it may begin to boot."""
        if self.boot.at_once is None:
            return 0.0
        full = len(self._booting) >= self.boot.at_once
        begin = max(now, heappop(self._booting)) if full else now
        heappush(self._booting, begin + seconds)
        return begin - now

    def _fill(self, now: float) -> None:
        for _ in range(self.wanted - self.capacity):
            self._launch(now)

    def _surplus(self, busy: Collection[int] | int) -> list[int]:
        """Whom a scale-in takes."""
        count = self.capacity - self.wanted
        if count <= 0:
            return []
        serving = self.instances("in service")
        if not self.protect_busy:
            return (serving + self.instances("pending"))[:count]
        idle = serving[busy:] if isinstance(busy, int) else [one for one in serving if one not in busy]
        return (idle + self.instances("pending")[::-1])[:count]

    def _move(self, instance: _Instance, state: State) -> None:
        self._count(instance.state, -1)
        self._count(state, 1)
        instance.state = state

    def _count(self, state: State, change: int) -> None:
        name = state.replace(" ", "_")
        setattr(self, name, getattr(self, name) + change)

    def _end(self, number: int, now: float) -> None:
        instance = self._instances.pop(number)
        self._count(instance.state, -1)
        self._billed += self._cost(instance, now)

    def _cost(self, instance: _Instance, now: float) -> float:
        return max(self.billed_at_least, now - instance.billed_from) if now > instance.billed_from else 0.0
