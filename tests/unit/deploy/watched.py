"""A watcher of rollouts and ends that remembers what it was told, and answers as it was told to."""

from __future__ import annotations

from iraas.deploy.changes import ChangeSet
from iraas.deploy.events import Event


class Watched:
    """A watcher that remembers, and answers as it was told."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.lines: list[str] = []
        self.questions: list[str] = []
        self.shown: list[ChangeSet] = []
        self.events: list[Event] = []
        self.begun = 0

    def says(self, line: str) -> None:
        self.lines.append(line)

    def asks(self, question: str) -> bool:
        self.questions.append(question)
        return self.answers.pop(0) if self.answers else True

    def shows(self, changes: ChangeSet) -> None:
        self.shown.append(changes)

    def begins(self) -> None:
        self.begun += 1

    def happened(self, event: Event, total: int) -> None:
        self.events.append(event)

    def uploaded(self, done: int, total: int) -> None:
        pass

    def draining(self, left: int) -> None:
        self.lines.append(f"{left} instances")

    def emptying(self, bucket: str, removed: int) -> None:
        self.lines.append(f"{bucket} {removed}")
