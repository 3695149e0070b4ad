"""Our own rule: workers for the load that comes, and some more for the backlog that is there.

load     = arrivals a second * seconds a picture       in erlangs, from a fast and a slow average
steady   = Erlang C staffing of that load              at most `share` wait longer than the objective
catch up = what the workers that will be there cannot clear in time / (`patience` objectives)
wanted   = the larger of: steady + catch up, and the largest steady of the last `hold` seconds
"""

from __future__ import annotations

import math

from iraas.scaling.erlang import workers_for
from iraas.scaling.policy import Decision, History, Observation, Policy, keep

SURE = 2.0  # standard deviations of Poisson arrivals beyond which a difference of averages is a trend
GRID = 0.01  # of the load: the steps in which its staffing is looked up, so that most are remembered
SHORTEST = 1e-3  # seconds: looks that follow closer tell nothing of a rate
MOST = 1e6  # erlangs, beyond which nobody staffs


class Staffing(Policy, frozen=True, forbid_unknown_fields=True, tag="staffing"):
    """Erlang C staffing with a trend, a memory of the load, and a backlog that is worked off in time.

    What a queue's depth cannot tell, the arrivals do: how many workers keep up. So an empty queue is no reason to
    scale in, and a long one no reason for more workers than clear it in time.
    """

    objective: float = 2.0  # seconds that a picture may wait
    boot: float = 60.0  # seconds until a worker that is started takes jobs
    service: float = 0.02  # seconds a picture keeps a worker busy; only until it is measured
    share: float = 0.01  # of the pictures that may wait longer in a steady state
    fast: float = 10.0  # seconds of memory of the quick average of arrivals
    slow: float = 45.0  # seconds of memory of the slow one
    hold: float = 180.0  # seconds for which the largest steady staffing is kept
    settle: float = 60.0  # seconds for which the largest of all that was wanted is kept, against flapping
    patience: float = 2.5  # objectives in which a backlog ought to be worked off

    title = "staffing for the load (ours)"
    deployable = False

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        for name in ("objective", "boot", "service", "fast", "slow", "patience"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f"{name}: {value:g} cannot be; give a number above 0")
        if not 0 < self.share < 1:
            raise ValueError(f"share: {self.share:g} is a part of the pictures, between 0 and 1")
        for name in ("hold", "settle"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: {getattr(self, name):g} is no time; give seconds, 0 or more")
        if not self.fast < self.slow:
            raise ValueError(f"fast: {self.fast:g} s must be shorter than slow, {self.slow:g} s")

    def decide(self, seen: Observation, history: History) -> Decision:
        """Staff for the load, catch up with the backlog, and let go only of what was not needed for a while."""
        if math.isnan(seen.backlog) or math.isnan(seen.arrivals):
            return keep(seen, "kept: the queue cannot be seen")
        service = seen.service if seen.service > 0 else self.service
        boot = self.boot if math.isnan(seen.boot) else seen.boot
        rate = self._rate(seen, history, boot)
        steady = self._steady(rate, service)
        if seen.backlog > 0:
            steady = max(steady, 1.0)  # nobody waits for ever, however few come
        held = max(history.window("steady", steady, at=seen.time, seconds=self.hold))
        behind = seen.visible * service / max(1, seen.in_service) > self.objective / 4
        extra = self._catch_up(seen, rate, service, boot) if behind else 0.0
        wanted = math.ceil(max(held, steady + extra))
        settled = max(history.window("wanted", wanted, at=seen.time, seconds=self.settle))
        load = f"{rate:.3g} a second is {rate * service:.3g} workers' load, which takes {steady:.0f}"
        backlog = f"; {seen.visible:.0f} waiting take {extra:.1f} more" if extra else ""
        if wanted > seen.capacity:
            return Decision(wanted, f"added {wanted - seen.capacity}: {load}{backlog}")
        if wanted < seen.capacity and (seen.starting or behind):
            return keep(
                seen, f"kept: {load}, but {'some are starting' if seen.starting else 'there is a backlog'}"
            )
        if settled < seen.capacity:
            spare = f"{held:.0f} at most in {self.hold:.0f} s"
            return Decision(int(settled), f"removed {seen.capacity - int(settled)}: {load}, {spare}")
        return keep(seen, f"kept: {load}{backlog}")

    def _rate(self, seen: Observation, history: History, boot: float) -> float:
        """Arrivals a second; while they rise beyond chance, what they will be when a new worker is there."""
        now = (
            max(0.0, seen.arrivals) / seen.period if seen.period > SHORTEST else 0.0
        )  # a counter may begin anew
        fast = history.mean("fast", now, at=seen.time, seconds=self.fast)
        slow = history.mean("slow", now, at=seen.time, seconds=self.slow)
        noise = SURE * math.sqrt(fast / (2 * self.fast))
        if fast - slow <= noise:
            return fast
        rise = (fast - slow) / (self.slow - self.fast)  # a second each second
        return min(2 * fast, fast + rise * (boot + self.fast))

    def _steady(self, rate: float, service: float) -> float:
        """Workers for this rate; none where not even one picture is to be expected while a worker would be held."""
        if rate * max(self.hold, self.boot) < 1:
            return 0.0
        near = math.exp(round(math.log(min(rate * service, MOST)) / GRID) * GRID)
        return workers_for(near, seconds=self.objective, service=service, share=self.share)

    def _catch_up(self, seen: Observation, rate: float, service: float, boot: float) -> float:
        """Workers beyond the steady ones, so that the backlog is gone in time once new ones are there."""
        served = (seen.in_service * boot + seen.starting * boot / 2) / service
        left = max(0.0, seen.visible + rate * boot - served)
        return left * service / (self.patience * self.objective)
