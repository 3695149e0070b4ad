"""form fields <-> values, values -> XML. AWS's query protocol, as EC2 Auto Scaling speaks it.

`InstanceIds.member.1=i-1` is the first of a list. An answer is `<ActionResponse><ActionResult>…`, lists are `<member>`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

NAMESPACE = "http://autoscaling.amazonaws.com/doc/2011-01-01/"
Value = str | int | float | bool | datetime | Sequence["Value"] | Mapping[str, "Value"] | None


class QueryError(Exception):
    """A refusal with AWS's code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Parameters:
    """What a request asks for. What nobody asked the rig to understand is an error, too: see `done`."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = dict(form)
        self.action = self._form.pop("Action", "")
        self._form.pop("Version", None)

    def text(self, name: str, default: str | None = None) -> str:
        """A parameter; raises `QueryError` when it is missing and has no default."""
        found = self._form.pop(name, default)
        if found is None:
            raise QueryError("ValidationError", f"1 validation error detected: '{name}' must not be null")
        return found

    def flag(self, name: str, default: str | None = None) -> bool:
        """A parameter that is true or false."""
        return self.text(name, default) == "true"

    def texts(self, name: str) -> list[str]:
        """A list; empty when it is not there."""
        found: list[str] = []
        while (value := self._form.pop(f"{name}.member.{len(found) + 1}", None)) is not None:
            found.append(value)
        return found

    def done(self) -> None:
        """Raises `QueryError` for parameters that nobody has read."""
        if self._form:
            raise QueryError(
                "InvalidParameterCombination",
                f"{self.action}: the rig does not know {', '.join(sorted(self._form))}",
            )


def answer(action: str, result: Mapping[str, Value] | None) -> str:
    """A response's XML; without a result where the action has none."""
    inner = "" if result is None else f"<{action}Result>{xml(result)}</{action}Result>"
    return (
        f'<{action}Response xmlns="{NAMESPACE}">{inner}<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId>'
        f"</ResponseMetadata></{action}Response>"
    )


def refusal(code: str, message: str) -> str:
    """An error's XML."""
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )


def xml(value: Value) -> str:
    """A value as it stands inside an element."""
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{xml(one)}</{name}>" for name, one in value.items() if one is not None)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Sequence):
        return "".join(f"<member>{xml(one)}</member>" for one in value)
    return str(value)
