"""values -> value: what the signs and functions of metric math do to datapoints; pure.

The rules are those of the page "Use metric math" of the Amazon CloudWatch User Guide. Where one of two series has no
datapoint, it counts as 0; where neither has, there is none. A number has no times of its own, and fills no gap.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

Value = float | list[float] | tuple[Any, ...]  # a scalar, a series, an array of series


def _divided(one: float, other: float) -> float:
    return one / other if other else math.nan  # "the data point is dropped"


SIGNS: dict[str, Callable[[float, float], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "AND": lambda one, other: one != 0 and other != 0,
    "OR": lambda one, other: one != 0 or other != 0,
}


def operate(sign: str, left: Value, right: Value) -> Value:
    """A sign between two values."""
    act = SIGNS[sign]
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _each(sign, left, right)
    if isinstance(left, list) and isinstance(right, list):
        return [
            float(act(0.0 if one != one else one, 0.0 if other != other else other))
            if one == one or other == other  # nothing is equal to NaN, not even NaN: faster than math.isnan
            else math.nan
            for one, other in zip(left, right, strict=True)
        ]
    if isinstance(left, list):
        number = _scalar(sign, right)
        return [float(act(one, number)) if one == one else one for one in left]
    number = _scalar(sign, left)
    if isinstance(right, list):
        return [float(act(number, other)) if other == other else other for other in right]
    return float(act(number, _scalar(sign, right)))


def negative(value: Value) -> Value:
    """The unary sign."""
    return operate("-", 0.0, value)


def filled(value: Value, filler: Value | None) -> Value:
    """FILL: a number, another series, or (None) what was there last, which fills nothing before the first datapoint."""
    if isinstance(value, tuple):
        return tuple(filled(one, filler) for one in value)
    series = _series("FILL", value)
    if isinstance(filler, list):
        return [point if point == point else other for point, other in zip(series, filler, strict=True)]
    if filler is not None:
        number = _scalar("FILL", filler)
        return [point if point == point else number for point in series]
    found, last = [], math.nan
    for point in series:
        last = point if point == point else last
        found.append(last)
    return found


def _each(sign: str, left: Value, right: Value) -> Value:
    """An array of series with another value."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        raise ValueError(f"{sign}: one of its sides may be an array of series, and not both")
    if isinstance(left, tuple):
        return tuple(operate(sign, one, right) for one in left)
    assert isinstance(right, tuple)
    return tuple(operate(sign, left, other) for other in right)


def _if(condition: Value, true: Value, false: Value = math.nan) -> Value:
    """IF: a missing condition drops the datapoint, a missing true value is 0, a missing false value drops it."""
    if not isinstance(condition, list):
        chosen = true if condition else false
        other = false if condition else true
        if isinstance(chosen, float) and isinstance(other, list):
            return [chosen] * len(other)
        return chosen
    trues, falses = (
        value if isinstance(value, list) else [_scalar("IF", value)] * len(condition)
        for value in (true, false)
    )
    return [
        (yes if yes == yes else 0.0) if met and met == met else no if met == met else math.nan
        for met, yes, no in zip(condition, trues, falses, strict=True)
    ]


def _over(name: str, act: Callable[[Sequence[float]], float], *, zeros: bool) -> Callable[[Value], Value]:
    """A function that makes a number of a series, and a series of an array of them. `zeros`: what is missing counts."""

    def function(value: Value) -> Value:
        if isinstance(value, tuple):
            columns = zip(*(_series(name, one) for one in value), strict=True)
            return [_summed(act, column, zeros=zeros) for column in columns]
        return _summed(act, _series(name, value), zeros=zeros)

    return function


def _summed(act: Callable[[Sequence[float]], float], points: Sequence[float], *, zeros: bool) -> float:
    known = [point for point in points if not math.isnan(point)]
    if not known:
        return math.nan
    return float(act([0.0 if math.isnan(point) else point for point in points] if zeros else known))


def _mapped(name: str, act: Callable[[float], float]) -> Callable[[Value], Value]:
    """A function of each datapoint."""

    def function(value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(function(one) for one in value)
        return [point if math.isnan(point) else float(act(point)) for point in _series(name, value)]

    return function


def _series(name: str, value: Value) -> list[float]:
    if not isinstance(value, list):
        raise ValueError(f"{name}: it takes a time series, and not {value!r}")
    return value


def _scalar(name: str, value: Value) -> float:
    if not isinstance(value, float):
        raise ValueError(f"{name}: it takes a number or a time series, and not {value!r}")
    return value


def _mean(points: Sequence[float]) -> float:
    return math.fsum(points) / len(points)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "IF": _if,
    "ABS": _mapped("ABS", abs),
    "CEIL": _mapped("CEIL", math.ceil),
    "FLOOR": _mapped("FLOOR", math.floor),
    "AVG": _over("AVG", _mean, zeros=True),
    "SUM": _over("SUM", math.fsum, zeros=True),
    "MAX": _over("MAX", max, zeros=False),
    "MIN": _over("MIN", min, zeros=False),
}
