"""text of metric math, series by id -> series: numbers, signs, comparisons, FILL, IF and a few more; pure.

The rules are those of the page "Use metric math" of the Amazon CloudWatch User Guide. A series is a list of datapoints,
oldest first, NaN where there is none; a scalar is a float.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.rig.functions import FUNCTIONS, Value, filled, negative, operate

SIGNS = re.compile(r"\s*(?:(\d+\.?\d*|\.\d+)|([A-Za-z_]\w*)|(<=|>=|==|!=|&&|\|\||[-+*/()\[\],<>]))")
LEVELS = (  # weakest first
    {"OR": "OR", "||": "OR"},
    {"AND": "AND", "&&": "AND"},
    {sign: sign for sign in ("<", "<=", ">", ">=", "==", "!=")},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/"},
)

Series = Mapping[str, list[float]]
Node = Callable[[Series], Any]


class Expression:
    """One expression, read once. Raises `ValueError` that names what it does not know."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._signs = _signs(text)
        self._place = 0
        self.ids: set[str] = set()  # of the series that it needs
        self._node = self._level(0)
        if self._place < len(self._signs):
            raise self._wrong("does not belong there")

    def evaluate(self, series: Series) -> list[float]:
        """The series that comes of these. Raises `ValueError` for an id that is not there, and for a mere number."""
        found = self._node(series)
        if not isinstance(found, list):
            raise ValueError(f"{self.text}: the result must be one time series")  # the page says so
        return found

    def _level(self, level: int) -> Node:
        """Binary signs of this strength and stronger ones."""
        if level == len(LEVELS):
            return self._signed()
        left = self._level(level + 1)
        while (sign := self._peek()) in LEVELS[level]:
            self._place += 1
            left = _binary(LEVELS[level][sign], left, self._level(level + 1))
        return left

    def _signed(self) -> Node:
        if self._peek() == "-":
            self._place += 1
            inner = self._signed()
            return lambda series: negative(inner(series))
        return self._atom()

    def _atom(self) -> Node:
        sign = self._peek()
        self._place += 1
        if sign == "(":
            inner = self._level(0)
            self._expect(")")
            return inner
        if sign == "[":
            parts = self._list("]")
            return lambda series: tuple(part(series) for part in parts)
        if sign and (sign[0].isdigit() or sign[0] == "."):
            number = float(sign)
            return lambda _series: number
        if sign and sign[0].islower():
            return self._id(sign)
        if sign and sign[0].isupper() and self._peek() == "(":
            return self._function(sign)
        self._place -= 1
        raise self._wrong("is not known")

    def _id(self, name: str) -> Node:
        self.ids.add(name)

        def look(series: Series) -> list[float]:
            if name not in series:
                raise ValueError(f"{self.text}: there is no {name} among {', '.join(series) or 'nothing'}")
            return list(series[name])

        return look

    def _function(self, name: str) -> Node:
        self._expect("(")
        if name == "FILL":
            return self._fill()
        if name not in FUNCTIONS:
            raise ValueError(f"{self.text}: the function {name} is not known here")
        function, arguments = FUNCTIONS[name], self._list(")")
        return lambda series: function(*(argument(series) for argument in arguments))

    def _fill(self) -> Node:
        """Its second argument may be a word."""
        inner = self._level(0)
        self._expect(",")
        if self._peek() in ("REPEAT", "LINEAR"):
            word = self._peek()
            self._place += 1
            self._expect(")")
            if word == "LINEAR":
                raise ValueError(f"{self.text}: FILL with LINEAR is not known here")
            return lambda series: filled(inner(series), None)
        filler = self._level(0)
        self._expect(")")
        return lambda series: filled(inner(series), filler(series))

    def _list(self, end: str) -> list[Node]:
        found = [self._level(0)]
        while self._peek() == ",":
            self._place += 1
            found.append(self._level(0))
        self._expect(end)
        return found

    def _peek(self) -> str:
        return self._signs[self._place] if self._place < len(self._signs) else ""

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise self._wrong(f"stands where {sign} should be")
        self._place += 1

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"{self.text}: {self._peek() or 'the end'} {what}")


def _signs(text: str) -> list[str]:
    found, place = [], 0
    while text[place:].strip():
        match = SIGNS.match(text, place)
        if match is None:
            raise ValueError(
                f"{text}: {text[place:].strip()[0]} is no sign of metric math that is known here"
            )
        found.append(match[1] or match[2] or match[3])
        place = match.end()
    return found


def _binary(sign: str, left: Node, right: Node) -> Node:
    def both(series: Series) -> Value:
        return operate(sign, left(series), right(series))

    return both
