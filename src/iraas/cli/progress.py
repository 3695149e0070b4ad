"""A bar on standard error for what takes long; nothing where standard error is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str, *, total: float | None) -> Iterator[Callable[[float, str], None]]:
    """Yields what to call with how much is done, and what comes next. Without a total the bar only shows life."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(30),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task(what, total=total, now="")
        yield lambda done, now: bar.update(task, completed=done, now=now)
