"""policy.toml <-> Plan: a policy between a minimum and a maximum; pure.

    minimum = 1
    maximum = 20

    [policy]
    kind = "staffing"
    objective = 2.0
"""

from __future__ import annotations

import re
import tomllib

import msgspec
import tomli_w

from iraas.scaling.policies.combined import AnyPolicy
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policy import Decision, History, Observation

MOST = 100_000  # workers that a plan may name


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `iraas up` follows, the simulator tries and a stack deploys."""

    maximum: int
    policy: AnyPolicy
    minimum: int = 0

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if self.minimum < 0:
            raise ValueError(f"minimum: {self.minimum} workers cannot be; give 0 or more")
        if not 1 <= self.maximum <= MOST:
            raise ValueError(f"maximum: {self.maximum} must be between 1 and {MOST:,}")
        if self.minimum > self.maximum:
            raise ValueError(
                f"minimum: {self.minimum} is more than the maximum of {self.maximum}; lower it, or raise maximum"
            )

    def decide(self, seen: Observation, history: History) -> Decision:
        """What the policy says, between the bounds."""
        said = self.policy.decide(seen, history)
        if said.capacity > self.maximum:
            return Decision(self.maximum, _bounded(said, seen, f"{self.maximum} is the maximum"))
        if said.capacity < self.minimum:
            return Decision(self.minimum, _bounded(said, seen, f"{self.minimum} is the minimum"))
        return said


def default_plan(minimum: int, maximum: int) -> Plan:
    """Ours, as it comes."""
    return Plan(minimum=minimum, maximum=maximum, policy=Staffing())


def read_plan(text: str) -> Plan:
    """TOML -> a plan. Raises `ValueError` that names field and mend."""
    try:
        return msgspec.convert(tomllib.loads(text), Plan)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"this is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error))) from error


def write_plan(plan: Plan) -> str:
    """A plan -> TOML that `read_plan` reads."""
    return tomli_w.dumps(_without_none(msgspec.to_builtins(plan)))


def _bounded(said: Decision, seen: Observation, bound: str) -> str:
    return f"{said.reason}, but {bound}" if said.capacity != seen.capacity else said.reason


def _without_none(value: object) -> object:
    """TOML has no null: what is None is left out, and is None again when it is read."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def _in_words(message: str) -> str:
    """msgspec's words -> ours: the field first, as it stands in the file, and the mend."""
    what, _, where = message.partition(" - at `$")
    field = where.rstrip("`").lstrip(".")
    unknown = re.search(r"unknown field `(\w+)`", what)
    if unknown:
        return f"{'.'.join(filter(None, (field, unknown[1])))}: no such field; docs/scaling.md lists them"
    missing = re.search(r"missing required field `(\w+)`", what)
    if missing:
        return f"{'.'.join(filter(None, (field, missing[1])))}: it is missing; docs/scaling.md says what belongs there"
    return f"{field}: {what}" if field else what
