"""Observations with only what a test speaks of."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from iraas.scaling.policy import Observation


def seen(time=0.0, *, visible=0.0, in_flight=0.0, in_service=1, starting=0, period=5.0, **fields):
    """One look."""
    return Observation(time, period, visible, in_flight, in_service, starting, **fields)


_known = st.floats(0, 1e6)
_maybe = st.just(math.nan) | _known
anything = st.builds(
    Observation,
    time=st.floats(-1e5, 1e9),
    period=st.floats(0, 1e4),
    visible=_maybe,
    in_flight=_maybe,
    in_service=st.integers(0, 1000),
    starting=st.integers(0, 1000),
    arrivals=_maybe | st.floats(-100, 0),
    answers=_maybe,
    oldest_age=_maybe,
    responses=_maybe,
    cpu=st.just(math.nan) | st.floats(0, 1),
    service=st.just(math.nan) | st.floats(0, 1e4),
    boot=st.just(math.nan) | st.floats(0, 1e4),
    terminating=st.integers(0, 10),
)
