"""`iraas dead-letters list|redrive`: the jobs that nobody could finish."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from iraas.answers.dead_letters import DeadLetters
from iraas.cli.backend import Data, Json, ask_backend
from iraas.errors import IraasError
from iraas.messages import DeadLetter
from iraas.wiring.backend import dead_letters

app = typer.Typer(help="Jobs that nobody could finish.", no_args_is_help=True)


class Line(msgspec.Struct):
    """A dead letter as it is shown: of a body, only its size."""

    id: str
    at: float  # wall time, seconds
    owner: str
    reason: str
    body_bytes: int  # of a message that was no job; 0 for a job, whose picture is stored

    @classmethod
    def of(cls, letter: DeadLetter) -> Line:
        """What is shown of a letter."""
        return cls(letter.id, letter.at, letter.owner, letter.reason, len(letter.body))

    def in_words(self) -> str:
        """One line."""
        at = datetime.fromtimestamp(self.at, tz=UTC)
        whose = self.owner or (f"{self.body_bytes} bytes" if self.body_bytes else "-")
        return f"{self.id}  {at:%Y-%m-%d %H:%M:%S}Z  {whose}  {_printable(self.reason)}"


@app.command("list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """Show the dead letters, the oldest first.

    One called `malformed-...` is a message that was no job, or a job of a later version of iraas.
    """
    lines = sorted(ask_backend(data, lambda backend: _lines(dead_letters(backend))), key=lambda line: line.at)
    if as_json:
        typer.echo(msgspec.json.encode(lines).decode())
        return
    for line in lines:
        typer.echo(line.in_words())
    if not lines:
        typer.echo("There are no dead letters.")


@app.command()
def redrive(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, as `list` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Redrive all of them.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send jobs again. Their failures are moved aside to `superseded/`, and their ids get new answers.

    A message that was no job is sent again as it was, which helps once the workers are of its version.
    Exit code 1 when one of them could not be sent.
    """
    if bool(ids) == everything:
        raise typer.BadParameter("name ids, or say --all")
    outcomes = ask_backend(data, lambda backend: _redrive(dead_letters(backend), ids))
    if as_json:
        typer.echo(msgspec.json.encode(outcomes).decode())
    else:
        for name, outcome in outcomes.items():
            typer.echo(f"{name}  {outcome}")
        if not outcomes:
            typer.echo("There are no dead letters.")
    if any(outcome != "sent" for outcome in outcomes.values()):
        raise typer.Exit(1)


async def _lines(letters: DeadLetters) -> list[Line]:
    return [Line.of(letter) async for letter in letters.list()]


async def _redrive(letters: DeadLetters, ids: list[str] | None) -> dict[str, str]:
    outcomes = {}
    for name in ids or [line.id for line in await _lines(letters)]:
        try:
            await letters.redrive(name)
            outcomes[name] = "sent"
        except (IraasError, ValueError) as error:
            outcomes[name] = str(error)
    return outcomes


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
