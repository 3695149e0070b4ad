"""`iraas dead-letters list|redrive`: the jobs that nobody could finish."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from iraas.answers.dead_letters import DeadLetters
from iraas.errors import ConfigurationError
from iraas.messages import DeadLetter
from iraas.settings import load_settings
from iraas.wiring.backend import dead_letters, open_backend

app = typer.Typer(help="Jobs that nobody could finish.", no_args_is_help=True)
Data = Annotated[Path | None, typer.Option(help="Folder of the queue and the stores. [default: .iraas]")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_T = TypeVar("_T")


@app.command("list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """Show the dead letters, the oldest first."""
    letters = sorted(_with_dead_letters(data, _all), key=lambda letter: letter.at)
    if as_json:
        typer.echo(msgspec.json.encode(letters).decode())
        return
    for letter in letters:
        at = datetime.fromtimestamp(letter.at, tz=UTC)
        typer.echo(f"{letter.id}  {at:%Y-%m-%d %H:%M:%S}Z  {letter.owner}  {letter.reason}")
    if not letters:
        typer.echo("There are no dead letters.")


@app.command()
def redrive(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, as `list` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Redrive all of them.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send jobs again. Their failures are moved aside to `superseded/`, and their ids get new answers.

    Exit code 1 when one of them could not be sent.
    """
    if bool(ids) == everything:
        raise typer.BadParameter("name ids, or say --all")
    outcomes = _with_dead_letters(data, lambda letters: _redrive(letters, ids))
    if as_json:
        typer.echo(msgspec.json.encode(outcomes).decode())
    else:
        for job_id, outcome in outcomes.items():
            typer.echo(f"{job_id}  {outcome}")
    if any(outcome != "sent" for outcome in outcomes.values()):
        raise typer.Exit(1)


async def _all(letters: DeadLetters) -> list[DeadLetter]:
    return [letter async for letter in letters.list()]


async def _redrive(letters: DeadLetters, ids: list[str] | None) -> dict[str, str]:
    from iraas.errors import IraasError

    outcomes = {}
    for job_id in ids or [letter.id for letter in await _all(letters)]:
        try:
            await letters.redrive(job_id)
            outcomes[job_id] = "sent"
        except (IraasError, ValueError) as error:
            outcomes[job_id] = str(error)
    return outcomes


def _with_dead_letters(data: Path | None, do: Callable[[DeadLetters], Awaitable[_T]]) -> _T:
    async def run() -> _T:
        settings = load_settings(data=data)
        if not (settings.data / "queue.sqlite3").exists():
            raise ConfigurationError(f"no service has run on the folder {settings.data}; name its --data")
        backend = open_backend(settings, inline=True)
        try:
            return await do(dead_letters(backend))
        finally:
            await backend.close()

    return asyncio.run(run())
