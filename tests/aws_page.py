"""docs/aws.md -> its blocks, and what each tier may do, by its table and by its policies."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parents[1] / "docs" / "aws.md"
TIERS = ("web", "worker", "operator")

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (\w+) \| ((?:`\w+:\w+`(?:, )?)+) \| `(arn:[^`]+)` \|$", re.MULTILINE)
_IN_GROUP = re.compile(
    r"^\| (\w+) \| ((?:`\w+:\w+`(?:, )?)+) \| `(\*|arn:[^`]+)` \| (?:`([\w:]+)` is `(\w+)`)? ?\|$",
    re.MULTILINE,
)
_FILE = re.compile(r"^cat > (\S+) <<EOF\n(.*?)^EOF$", re.MULTILINE | re.DOTALL)


class Allowed(NamedTuple):
    """A line of the list. The resource has REGION, ACCOUNT and STACK where a deployment's own stand."""

    tier: str
    action: str
    resource: str


class AllowedInGroup(NamedTuple):
    """A line of the list for instances of a group; `key` must be `value` unless it is empty."""

    tier: str
    action: str
    resource: str
    key: str
    value: str


def blocks(language: str) -> list[str]:
    """The page's blocks of one language, in order."""
    return [block for kind, block in _BLOCK.findall(PAGE.read_text()) if kind == language]


def files() -> dict[str, str]:
    """The files that the shell blocks write, with shell variables as they stand."""
    return dict(_FILE.findall("\n".join(blocks("sh"))))


def table() -> list[Allowed]:
    """The list as people read it."""
    return [
        Allowed(tier, action.strip("`"), resource)
        for tier, actions, resource in _ROW.findall(PAGE.read_text())
        for action in actions.split(", ")
    ]


def table_of_groups() -> list[AllowedInGroup]:
    """What instances of a group may do beyond that."""
    return [
        AllowedInGroup(tier, action.strip("`"), resource, key, value)
        for tier, actions, resource, key, value in _IN_GROUP.findall(PAGE.read_text())
        for action in actions.split(", ")
    ]


def policies() -> list[Allowed]:
    """The list as AWS reads it."""
    return [
        Allowed(tier, action, statement["Resource"].replace("$", ""))
        for tier in TIERS
        for statement in json.loads(files()[f"{tier}.json"])["Statement"]
        for action in statement["Action"]
    ]
