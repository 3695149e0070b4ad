"""What a service answered -> the label in it, by a JSON path or a regular expression."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from iraas.errors import ConfigurationError

FindLabel = Callable[[bytes], str | None]  # None: there is no label in this answer

DEFAULT_MATCH = "label"
_PATH = re.compile(r"[\w-]+(\.[\w-]+)*")


def label_finder(match: str = DEFAULT_MATCH) -> FindLabel:
    """How to find the label: a regular expression if `match` holds a parenthesis, for its first group; else a path.

    A path leads through JSON by names and numbers: `label`, `predictions.0.label`, `$.outputs[0].name`. Raises
    `ConfigurationError` for what is neither.
    """
    if "(" in match:
        return _by_expression(match)
    path = match.removeprefix("$").removeprefix(".").replace("[", ".").replace("]", "").lstrip(".")
    if not _PATH.fullmatch(path):
        raise ConfigurationError(
            f"--match {match!r} is neither a path like predictions.0.label "
            "nor an expression with a group like '^[^:]+:(.*)$'"
        )
    return _by_path(path.split("."))


def _by_path(steps: list[str]) -> FindLabel:
    def find(body: bytes) -> str | None:
        try:
            found = json.loads(body)
            for step in steps:
                found = found[int(step)] if isinstance(found, list) else found[step]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            return None
        return str(found) if isinstance(found, str | int | float) else None

    return find


def _by_expression(match: str) -> FindLabel:
    try:
        expression = re.compile(match, re.MULTILINE)
    except re.error as error:
        raise ConfigurationError(f"--match {match!r} is no regular expression: {error}") from error
    if not expression.groups:
        raise ConfigurationError(f"--match {match!r} has no group; put parentheses around the label")

    def find(body: bytes) -> str | None:
        found = expression.search(body.decode(errors="replace"))
        return found[1].strip() if found and found[1] is not None else None

    return find
