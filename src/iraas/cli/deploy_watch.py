"""what happens at AWS -> lines and a bar for whoever deploys or destroys; on standard output only what is asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import typer

from iraas.cli.progress import progress
from iraas.errors import ConfigurationError

BEGUN = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}  # an operation of a stack

if TYPE_CHECKING:
    from iraas.deploy.changes import ChangeSet
    from iraas.deploy.events import Event
    from iraas.deploy.stack import State


class Watch:
    """Says, asks, and shows how far things are, for as long as the `with` block runs."""

    def __init__(self, name: str, *, yes: bool, as_json: bool) -> None:
        self.name = name
        self.yes = yes
        self.as_json = as_json
        self._bar: Callable[[float, str], None] | None = None
        self._moving = ""  # what the bar shows
        self._ends = ExitStack()
        self._ended: set[str] = set()  # logical ids of what is done
        self._uploaded = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_bar()

    def says(self, line: str) -> None:
        """A line for people."""
        self._end_bar()
        typer.echo(line, err=True)

    def asks(self, question: str) -> bool:
        """Whether to go on. Raises `ConfigurationError` where nobody can be asked."""
        if self.yes:
            return True
        if not sys.stdin.isatty():
            raise ConfigurationError(f"{question} Nobody can be asked here: say --yes")
        self._end_bar()
        return typer.confirm(question, err=True)

    def happened(self, event: Event, total: int) -> None:
        """An event of the stack: the bar moves; where there is no terminal, a line for what ended."""
        if event.is_failure:
            self.says(f"  {event.in_words()}")
        if event.of_stack and event.status in BEGUN:
            self._ended.clear()
        if event.of_stack or event.status.endswith("_IN_PROGRESS"):
            return
        self._ended.add(event.logical_id)
        if sys.stderr.isatty():
            words = f"{event.logical_id} {event.status}{self._uploaded}"
            self.moved(f"stack {self.name}", len(self._ended), total, words)
        elif not event.is_failure:
            of = f"/{total}" if len(self._ended) <= total else ""
            self.says(f"  {len(self._ended):>3}{of}  {event.logical_id} ({event.kind}) {event.status}")

    def moved(self, what: str, done: float, total: float, words: str) -> None:
        """Move the bar of this name; there is one at a time, and none where standard error is no terminal."""
        if self._moving != what:
            self._end_bar()
            self._moving = what
            self._bar = self._ends.enter_context(progress(what, total=total or None))
        assert self._bar is not None
        self._bar(done, words)

    def _end_bar(self) -> None:
        self._ends.close()
        self._bar, self._moving = None, ""


class DeployWatch(Watch):
    """The watcher of a rollout, and its last words."""

    def __init__(self, name: str, *, yes: bool, as_json: bool) -> None:
        super().__init__(name, yes=yes, as_json=as_json)
        self.has_begun = False
        self.key: Callable[[], str] = str  # of the key that was made, if one was

    @contextmanager
    def building(self) -> Iterator[Callable[[float, str], None]]:
        """A bar for the release."""
        with progress("release", total=1.0) as bar:
            yield bar

    def shows(self, changes: ChangeSet) -> None:
        """What would change, before anybody is asked."""
        from iraas.cli.deploy_tables import of_changes

        self.says(f"{len(changes.changes)} changes in the stack {self.name}:\n")
        self.says("\n".join(of_changes(changes)) + "\n")

    def begins(self) -> None:
        """From now on AWS works; the key is shown before anything can stop this process."""
        self.has_begun = True
        if self.key() and not self.as_json:
            typer.echo(
                f"The API key, for clients (it is not stored anywhere, and not shown again):\n\n  {self.key()}\n"
            )

    def uploaded(self, done: int, total: int) -> None:
        """Bytes of the release, beside the stack's own progress."""
        self._uploaded = f" - release {done / total:.0%}" if done < total else ""
        if sys.stderr.isatty() and self._moving in ("", "release"):
            self.moved("release", done, total, f"{done / 1e6:.0f} of {total / 1e6:.0f} MB")

    def waiting(self, seconds: float) -> None:
        """Nothing answers yet."""
        if sys.stderr.isatty():
            self.moved("first answer", seconds, 0, "instances start, install and join the balancer")

    def finished(self, account: Any, state: State, *, alive: bool | None, waited: float) -> None:
        """Where it is, and how to ask. `alive` None: nobody has asked whether it answers."""
        self._end_bar()
        key = self.key() or "$KEY"
        curl = curl_line(account, state, key)
        if self.as_json:
            typer.echo(
                json.dumps(self._facts(state) | {"done": True, "answers": alive, "curl": curl}, indent=2)
            )
            return
        address = state.outputs.get("Address", "")
        if alive:
            typer.echo(f"{self.name} is {state.status} and answers at {address}")
        elif alive is None:
            typer.echo(f"{self.name} is {state.status}, at {address}")
        else:
            typer.echo(f"{self.name} is {state.status}, but {address} does not answer after {waited:.0f} s.")
            typer.echo(UNANSWERED.format(name=self.name))
        typer.echo(f"\n  {curl}\n")

    def failed(self, why: str = "") -> None:
        """For programs, what is known: a key above all, since it is nowhere else."""
        self._end_bar()
        if self.as_json and (self.has_begun and self.key()):
            typer.echo(
                json.dumps({"stack": self.name, "done": False, "why": why, "api_key": self.key()}, indent=2)
            )

    def _facts(self, state: State) -> dict[str, Any]:
        return {
            "stack": self.name,
            "status": state.status,
            "address": state.outputs.get("Address"),
            "api_key": self.key() or None,
            "outputs": state.outputs,
        }


UNANSWERED = """Look at
  iraas status {name}                            are web instances in service?
  aws logs tail /iraas/{name} --since 30m        what do they say?
  aws ec2 get-console-output --latest --output text --instance-id ID    when they say nothing: how their start went
An instance needs a way to the internet or to AWS's endpoints, and to the artifacts bucket."""


def curl_line(account: Any, state: State, key: str) -> str:
    """A request that works at once, also before a DNS name of the certificate points to the balancer."""
    from iraas.deploy.reach import request_place

    address, options = request_place(
        account, state.outputs.get("Address", ""), state.parameters.get("CertificateArn", "")
    )
    return f'curl {options}-H "Authorization: Bearer {key}" -F file=@cat.png {address}/v1/images'
