"""what an instance sees, what it did before -> what it does now. Pure.

InService ──told to end──> leaving ──linger──> told (`leave`) ──`left`, or no time left──> over ──hook completed──> idle

What tells it: its group (target state Terminated), or EC2 (a spot interruption notice). A recommendation to rebalance
does not: it is a risk and no date. The instance gives up its protection and goes on serving, because a group with
capacity rebalancing first starts a replacement and then ends this one through the hook (Amazon EC2 Auto Scaling User
Guide, Capacity Rebalancing), and leaving at once would lose capacity for the time between.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

import msgspec

TO_END = "Terminated"  # of autoscaling/target-lifecycle-state


class Seen(NamedTuple):
    """One look. What could not be seen is as if it were not there; the next look comes soon."""

    target_state: str = ""  # what its group moves it to; empty: it is in none
    taken_in: float | None = None  # seconds until EC2 takes it back; None: no such notice
    rebalance: bool = False  # EC2 recommends to replace it
    busy: bool | None = None  # a worker holds a job; None: not all workers could be asked
    left: bool = False  # its services say that they left


class Rule(NamedTuple):
    """How an instance behaves; all in seconds."""

    look_every: float
    protect_every: float  # least time between two calls that change its protection
    linger: float  # that it goes on serving, until its balancer knows
    drain: float  # that its services may take; who is silent for as long has lost what it held
    protects: bool  # whether it is worth protecting: it works on jobs, in a group
    has_hook: bool  # whether somebody waits for it to be complete

    @property
    def beat_every(self) -> float:
        """Between two heartbeats to the hook: 25 s, where no hook waits less than 30 (PutLifecycleHook)."""
        return 5 * self.look_every

    @property
    def margin(self) -> float:
        """Before EC2 takes the instance: two looks, to complete the hook in."""
        return 2 * self.look_every


class Life(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered, on disk too; times are seconds since boot."""

    begun: float  # when it was looked after for the first time
    protected: bool | None = None  # as Auto Scaling was last told; None: nobody knows
    protection_asked: float | None = None
    silent: float | None = None  # since when not all workers say whether they are busy
    warned: bool = False
    leaving: float | None = None
    reason: str = ""
    taken_at: float | None = None  # when EC2 takes it
    ending: float | None = None  # when its group was first seen to end it
    told: float | None = None  # when `leave` was written
    beat: float | None = None  # when the hook last heard of it
    over: float | None = None
    completed: bool = False


class Act(Enum):
    """What is to be done to the world."""

    WARN = auto()  # say that a rebalance is recommended
    SAY_LEAVING = auto()
    PROTECT = auto()
    UNPROTECT = auto()
    TELL = auto()  # the services, to leave
    BEAT = auto()  # the hook's heart
    SAY_LEFT = auto()
    COMPLETE = auto()  # the hook


def look(life: Life, seen: Seen, now: float, rule: Rule) -> tuple[Life, tuple[Act, ...]]:
    """What to do at `now`, seconds since boot, and what is remembered even if none of it works."""
    acts: list[Act] = []
    if seen.rebalance and not life.warned:
        life = msgspec.structs.replace(life, warned=True)
        acts.append(Act.WARN)
    life = _told_to_end(life, seen, now)
    if life.leaving == now:
        acts.append(Act.SAY_LEAVING)
    if rule.protects and (life.silent is None) is (seen.busy is None):
        life = msgspec.structs.replace(life, silent=now if seen.busy is None else None)
    wanted = _protection(life, seen, now, rule)
    if wanted is not None:
        # Until the call has worked nobody knows: it may be lost on its way, or its answer, or this process.
        life = msgspec.structs.replace(life, protected=None, protection_asked=now)
        acts.append(Act.PROTECT if wanted else Act.UNPROTECT)
    if life.leaving is not None and not life.completed:
        life, leaving = _leave(life, seen, now, rule)
        acts += leaving
    return life, tuple(acts)


def did(life: Life, act: Act, now: float) -> Life:
    """The same life once an act worked."""
    match act:
        case Act.PROTECT | Act.UNPROTECT:
            return msgspec.structs.replace(life, protected=act is Act.PROTECT, protection_asked=now)
        case Act.TELL:
            return msgspec.structs.replace(life, told=now)
        case Act.COMPLETE:
            return msgspec.structs.replace(life, completed=True)
    return life


def _told_to_end(life: Life, seen: Seen, now: float) -> Life:
    by_group, by_ec2 = seen.target_state == TO_END, seen.taken_in is not None
    if by_group and life.ending is None:
        life = msgspec.structs.replace(life, ending=now)
    if seen.taken_in is not None:
        life = msgspec.structs.replace(life, taken_at=now + seen.taken_in)
    if (by_group or by_ec2) and life.leaving is None:
        reason = "its group ends it" if by_group else "EC2 takes it back"
        life = msgspec.structs.replace(life, leaving=now, reason=reason)
    return life


def _protection(life: Life, seen: Seen, now: float, rule: Rule) -> bool | None:
    """What to tell Auto Scaling; None: nothing."""
    if not rule.protects or life.ending is not None:  # only who is in service can be protected
        return None
    # A worker that hangs must not keep its instance for ever. Its jobs are others' by then: no lease is renewed.
    hangs = life.silent is not None and now - life.silent >= rule.drain
    wanted = False if life.warned or life.leaving is not None or hangs else seen.busy
    if wanted is None or wanted == life.protected:
        return None
    if life.protected is None and not wanted and now - life.begun < rule.protect_every:
        return None  # a new instance is not protected: that call had better wait for its first job
    if life.protection_asked is not None and now - life.protection_asked < rule.protect_every:
        return None
    return wanted


def _leave(life: Life, seen: Seen, now: float, rule: Rule) -> tuple[Life, list[Act]]:
    assert life.leaving is not None
    acts: list[Act] = []
    last = None if life.taken_at is None else life.taken_at - rule.margin
    # Of what EC2 leaves, at most half is spent on waiting for the balancer.
    linger = rule.linger if last is None else min(rule.linger, (last - life.leaving) / 2)
    drains_from = life.leaving + linger if life.told is None else life.told
    if life.told is None and now >= drains_from:
        acts.append(Act.TELL)
    no_time = now >= drains_from + rule.drain or (last is not None and now >= last)
    if life.over is None and (no_time or (life.told is not None and seen.left)):
        life = msgspec.structs.replace(life, over=now)
        acts.append(Act.SAY_LEFT)
    if life.ending is not None and rule.has_hook:
        if life.over is not None:
            acts.append(Act.COMPLETE)
        elif now - (life.ending if life.beat is None else life.beat) >= rule.beat_every:
            life = msgspec.structs.replace(life, beat=now)
            acts.append(Act.BEAT)
    return life, acts
