"""stores and queues -> a table of what is answered and what is not: `iraas audit`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from iraas.cli.backend import Data, Json, ask_backend
from iraas.cli.durations import seconds_of

if TYPE_CHECKING:
    from iraas.answers.audit import Audit
    from iraas.wiring.backend import Backend


def audit(
    age: Annotated[
        str, typer.Option(help="A picture older than this should have its answer: 90s, 15m, 2h, 1d.")
    ] = "15m",
    resend: Annotated[
        bool, typer.Option("--resend", help="Send the jobs of those that have none again.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say which pictures have their answer, and where the others are.

    Reads the names of all stored pictures and answers, and asks the queues how much they hold; a service may
    run meanwhile. With --resend, let --age be longer than a job may wait: a queue on AWS takes a second job for
    a picture that is still waiting, which costs time but no answer. The embedded queue drops it.

    Exit code 1 when a picture older than --age has no answer, also when its job was sent again.
    """
    from iraas.cli.audit_table import as_text

    seconds = seconds_of(age)
    with _bar() as advance:
        found = ask_backend(data, lambda backend: _audit(backend, seconds, advance, resend=resend))
    if as_json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        typer.echo(as_text(found, age=age, resent=resend))
    if found.late:
        raise typer.Exit(1)


async def _audit(backend: Backend, age: float, progress: Callable[[int], object], *, resend: bool) -> Audit:
    from iraas.answers.audit import Auditor
    from iraas.intake.resend import Resend
    from iraas.telemetry import Telemetry

    auditor = Auditor(
        inputs=backend.inputs,
        results=backend.results,
        requests=backend.requests,
        dead_letters=backend.dead_letters,
        clock=backend.clock,
    )
    sender = Resend(
        inputs=backend.inputs,
        results=backend.results,
        requests=backend.requests,
        clock=backend.clock,
        telemetry=Telemetry(),
    )
    return await auditor.audit(age=age, progress=progress, send_again=sender.send if resend else None)


@contextmanager
def _bar() -> Iterator[Callable[[int], object]]:
    """A count of objects on standard error if that is a terminal, and what moves it. Nobody knows the total."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("auditing"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} objects"),
        TimeElapsedColumn(),
    )
    console, hidden = Console(stderr=True), not sys.stderr.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, disable=hidden) as bar:
        task = bar.add_task("audit", total=None)
        yield lambda objects: bar.advance(task, objects)
