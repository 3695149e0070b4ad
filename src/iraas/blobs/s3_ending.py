"""Calls of obstore -> a process that ends with its own exit code.

A thread of obstore's hands over each result, and for a moment afterwards it still wants the interpreter. If that
is being torn down, CPython ends the thread in a way that Rust cannot bear, and the whole process dies of SIGABRT:
seen in every third process that ended right after a call (https://github.com/PyO3/pyo3-async-runtimes/issues/40).
So the interpreter waits for such threads. Each holds a copy of its caller's context until it is through; a mark
in that context, gone when the copy is, tells.
"""

from __future__ import annotations

import atexit
import time
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from obstore.store import MemoryStore

MOST_SECONDS = 5.0  # a request that nobody cancelled ends by itself after 4
LOOK_SECONDS = 0.001

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Mark:
    """Lives as long as a call."""


_mark: ContextVar[_Mark | None] = ContextVar("_mark", default=None)
_marks: weakref.WeakSet[_Mark] = weakref.WeakSet()


def begin(call: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs) -> Awaitable[_T]:
    """`call`, one of obstore's, for whose threads the interpreter will wait."""
    mark = _Mark()
    _marks.add(mark)
    token = _mark.set(mark)
    try:
        return call(*args, **kwargs)
    finally:
        _mark.reset(token)


def wait_at_exit() -> None:
    """Have the interpreter wait; once is enough."""
    atexit.unregister(_wait)
    atexit.register(_wait)


def _wait() -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while _marks and time.monotonic() < deadline:
        MemoryStore()  # any call will do: only then obstore drops what its threads let go of
        time.sleep(LOOK_SECONDS)
