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
from typing import Any

import msgspec
import tomli_w

from iraas.scaling.policies.combined import AnyPolicy
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policy import Decision, History, Observation

MOST = 100_000  # workers that a plan may name
PROCESS_BOOT = 2.0  # seconds until a worker process takes jobs; until it is measured


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
            return Decision(self.maximum, f"{said.reason}, but {self.maximum} is the maximum")
        if said.capacity < self.minimum:
            return Decision(self.minimum, f"{said.reason}, but {self.minimum} is the minimum")
        return said


def default_plan(minimum: int, maximum: int) -> Plan:
    """Ours for the workers of one machine, which start in seconds."""
    return Plan(minimum=minimum, maximum=maximum, policy=Staffing(boot=PROCESS_BOOT))


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
    table: dict[str, object] = _without_none(msgspec.to_builtins(plan))
    return tomli_w.dumps(table)


def _without_none(value: Any) -> Any:
    """TOML has no null: what is None is left out, and is None again when it is read."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def _in_words(message: str) -> str:
    """From msgspec's words to ours: the field first, as it stands in the file, and the mend."""
    what, _, where = message.partition(" - at `$")
    place = where.rstrip("`").lstrip(".").removesuffix("[...]")
    for pattern, mend in _MENDS.items():
        if found := re.fullmatch(pattern, what):
            field = found.groupdict().get("field")
            return f"{'.'.join(filter(None, (place, field)))}: {mend.format(**found.groupdict())}"
    own = re.fullmatch(r"(\w+): (.*)", what, re.DOTALL)  # a rule's own words, which begin with its field
    if own and place:
        return f"{place}.{own[1]}: {own[2]}"
    return f"{place}: {what}" if place else what


_MENDS = {  # of msgspec's messages
    r"Object contains unknown field `(?P<field>\w+)`": "there is no such field; docs/scaling.md lists them",
    r"Object missing required field `(?P<field>\w+)`": "it is missing; docs/scaling.md says what belongs there",
    r"Expected `int`, got `.+`": "it must be a whole number",
    r"Expected `float`, got `.+`": "it must be a number",
    r"Expected `str`, got `.+`": "it must be text, in quotes",
    r"Expected `bool`, got `.+`": "it must be true or false",
    r"Expected `object`, got `.+`": "it must be a table; docs/scaling.md shows one",
    r"Expected `array`, got `.+`": "it must be a list, in brackets",
    r"Invalid (?:enum )?value '(?P<given>[^']*)'": "{given!r} is not known; docs/scaling.md lists what is",
}
