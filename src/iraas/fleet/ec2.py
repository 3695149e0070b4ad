"""metadata, workers, `left` -> protection, `leave`, a completed hook. One process an instance: `iraas instance`.

Crash-only: what was done stands in a file before and after it is done, so that this process may be killed and started
again at any moment. `leave` and `left` are files, too: whoever stops the services watches for the one and writes the
other, and this process needs no right to stop anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Never, Protocol, TypeVar

import msgspec

from iraas.clock import Clock
from iraas.errors import BackendUnavailable
from iraas.fleet.ec2_life import Act, Life, Rule, Seen, did, look
from iraas.fleet.ec2_metadata import Plans
from iraas.telemetry import Log

_Found = TypeVar("_Found")


class Metadata(Protocol):
    """What EC2 says of this instance; both raise `BackendUnavailable`."""

    def instance_id(self) -> str:
        """Its id."""
        ...

    def plans(self) -> Plans:
        """What is meant to happen to it."""
        ...


class Group(Protocol):
    """Its Auto Scaling group; all raise `BackendUnavailable`."""

    def protect(self, instance: str, *, protected: bool) -> None:
        """Protect it from scale-in, or no longer."""
        ...

    def beat(self, instance: str) -> bool:
        """Ask the hook for more time; False when none waits."""
        ...

    def complete(self, instance: str) -> bool:
        """End the hook's wait; False when none waits."""
        ...


class Instance:
    """The life of one instance: `look` once, or `run` for ever.

    `say_serving` is asked with each look until it says that there is nothing left to say; raises `BackendUnavailable`.
    """

    def __init__(
        self,
        *,
        metadata: Metadata,
        group: Group,
        is_busy: Callable[[], bool],
        folder: Path,
        rule: Rule,
        clock: Clock,
        say_serving: Callable[[str], bool],
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._metadata, self._group, self._is_busy = metadata, group, is_busy
        self._folder, self._rule, self._clock, self._wait = folder, rule, clock, wait
        self._log = Log()
        self._say_serving, self._said_serving = say_serving, False
        self._troubles: set[str] = set()
        self._id = ""
        self._life = self._remembered()

    def run(self) -> Never:
        """Look every few seconds, until this process ends."""
        self.until_known()
        while True:
            self.look()
            self._wait(self._rule.look_every)

    def until_known(self) -> str:
        """This instance's id, once metadata says it."""
        while not self._id:
            self._id = self._tried("metadata", self._metadata.instance_id) or ""
            if self._id:
                self._log = Log(instance=self._id)
                self._log("instance.started", leaving=self._life.leaving is not None)
            else:
                self._wait(self._rule.look_every)
        return self._id

    def look(self) -> None:
        """See what is meant to happen, and do what follows. Raises nothing that a later look may mend."""
        if not self._said_serving:
            self._said_serving = bool(self._tried("signal", lambda: self._say_serving(self._id)))
        plans = self._tried("metadata", self._metadata.plans) or Plans()
        wants_protection = self._rule.protects and self._life.leaving is None
        seen = Seen(
            target_state=plans.target_state,
            taken_in=None if plans.taken_at is None else plans.taken_at - self._clock.time(),
            rebalance=plans.rebalance,
            busy=self._tried("workers", self._is_busy) if wants_protection else None,
            left=(self._folder / "left").exists(),
        )
        life, acts = look(self._life, seen, self._clock.boot(), self._rule)
        self._remember(life)
        for act in acts:
            if self._do(act):
                self._remember(did(self._life, act, self._clock.boot()))

    def _do(self, act: Act) -> bool:
        """Whether it was done."""
        match act:
            case Act.WARN:
                self._log("instance.warned", level="warning")
            case Act.SAY_LEAVING:
                self._log("instance.leaving", reason=self._life.reason)
            case Act.PROTECT | Act.UNPROTECT:
                return self._protect(act is Act.PROTECT)
            case Act.TELL:
                return bool(self._tried("leave", self._tell))
            case Act.BEAT:
                self._tried("hook", lambda: self._group.beat(self._id))
            case Act.SAY_LEFT:
                seconds = round(self._clock.boot() - (self._life.leaving or 0.0), 3)
                self._log("instance.left", in_time=(self._folder / "left").exists(), seconds=seconds)
            case Act.COMPLETE:
                # False: the hook waits not yet, or no longer. The next look asks again, for as long as there is one.
                return bool(self._tried("hook", lambda: self._group.complete(self._id)))
        return True

    def _protect(self, protected: bool) -> bool:
        def protect() -> bool:
            self._group.protect(self._id, protected=protected)
            return True

        if not self._tried("protection", protect):
            return False
        self._log("instance.protected", protected=protected)
        return True

    def _tell(self) -> bool:
        fresh = self._folder / "leave.new"
        fresh.write_text(self._life.reason + "\n")
        fresh.replace(self._folder / "leave")
        return True

    def _tried(self, what: str, ask: Callable[[], _Found]) -> _Found | None:
        """What it gave; None when it failed, which is said when it begins and not at each look."""
        try:
            found = ask()
        except (BackendUnavailable, OSError) as error:
            if what not in self._troubles:
                self._troubles.add(what)
                self._log("instance.trouble", level="warning", what=what, error=str(error))
            return None
        self._troubles.discard(what)
        return found

    def _remembered(self) -> Life:
        with suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode((self._folder / "instance.json").read_bytes(), type=Life)
        return Life(begun=self._clock.boot())

    def _remember(self, life: Life) -> None:
        if life == self._life:
            return
        self._life = life

        def write() -> None:
            fresh = self._folder / "instance.new"
            fresh.write_bytes(msgspec.json.encode(life))
            fresh.replace(self._folder / "instance.json")

        self._tried("memory", write)
