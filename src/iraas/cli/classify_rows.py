"""Row -> a line of a table, of JSON or of CSV on standard output: what `iraas classify` prints."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from iraas.errors import IraasError
from iraas.messages import Answer

CSV_COLUMNS = ("path", "state", "label", "score", "ms", "wnid", "class_id", "model", "slug", "detail")
PIPE_COLUMNS = 10_000  # characters of a table's line that no terminal cuts: one picture, one line

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP, "CSV Injection"


Outcome = Answer | IraasError | OSError


class Row(NamedTuple):
    """One picture, and its answer or why it has none."""

    path: str
    outcome: Outcome

    def reason(self) -> tuple[str, str]:
        """Slug and words of the error; empty for an answer."""
        match self.outcome:
            case Answer():
                return "", ""
            case IraasError() as error:
                return error.slug, str(error)
            case OSError() as error:
                return "unreadable-file", error.strerror or str(error)


class Rows(Protocol):
    """Where rows go, in order; `end` comes once, also after an interruption."""

    def add(self, row: Row) -> None:
        """Take the next row."""
        ...

    def end(self) -> None:
        """Print what was kept."""
        ...


class JsonLines:
    """One JSON object a line, as soon as it is there: `path`, and the answer as in HTTP or the error."""

    def add(self, row: Row) -> None:
        """Write the row."""
        slug, words = row.reason()
        failed = {"state": "failed", "slug": slug, "detail": words}
        facts = msgspec.to_builtins(row.outcome) if isinstance(row.outcome, Answer) else failed
        sys.stdout.write(json.dumps({"path": row.path, **facts}) + "\n")  # ASCII: safe for every terminal

    def end(self) -> None:
        """Everything is written."""


class Csv:
    """A header, then one line a picture, as soon as it is there. No cell begins like a formula."""

    def __init__(self) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(CSV_COLUMNS)

    def add(self, row: Row) -> None:
        """Write the row."""
        slug, words = row.reason()
        if isinstance(row.outcome, Answer):
            answer, best = row.outcome, row.outcome.predictions[0]
            facts = ["done", answer.label, f"{answer.score:.4f}", f"{answer.timing_ms.total:.1f}"]
            facts += [best.wnid, str(best.class_id), answer.model]
        else:
            facts = ["failed", *[""] * 6]
        self._writer.writerow([_cell(text) for text in (row.path, *facts, slug, words)])

    def end(self) -> None:
        """Everything is written."""


class AnswerTable:
    """A table for people, printed at the end: path, label or error, score, milliseconds."""

    def __init__(self) -> None:
        self._table = Table(box=SIMPLE_HEAD)
        self._table.add_column("picture", overflow="fold")
        self._table.add_column("label", overflow="fold")
        self._table.add_column("score", justify="right")
        self._table.add_column("ms", justify="right")

    def add(self, row: Row) -> None:
        """Keep the row."""
        if isinstance(row.outcome, Answer):
            label, style = row.outcome.label, ""
            numbers = [f"{row.outcome.score:.3f}", f"{row.outcome.timing_ms.total:.1f}"]
        else:
            label, style, numbers = ": ".join(row.reason()), "red", []
        self._table.add_row(Text(_printable(row.path)), Text(_printable(label), style=style), *numbers)

    def end(self) -> None:
        """Print the table."""
        if self._table.row_count:
            Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(self._table)


class InOrder:
    """Outcomes in any order -> rows in the pictures' order. `unanswered` counts pictures without labels."""

    def __init__(self, pictures: Sequence[Path], rows: Rows) -> None:
        self.unanswered = 0
        self._pictures, self._rows = pictures, rows
        self._early: dict[int, Outcome] = {}
        self._next = 0

    def add(self, number: int, outcome: Outcome) -> None:
        """Take the outcome of picture `number`, and pass on what is complete up to here."""
        self.unanswered += not isinstance(outcome, Answer)
        self._early[number] = outcome
        while self._next in self._early:
            self._rows.add(Row(str(self._pictures[self._next]), self._early.pop(self._next)))
            self._next += 1


def _printable(text: str) -> str:
    """The text with everything escaped that could steer a terminal or turn the writing's direction."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def _cell(text: str) -> str:
    """The text as CSV holds it: one that a spreadsheet would calculate gets a quote in front."""
    encodable = text.encode(errors="backslashreplace").decode()
    return f"'{encodable}" if encodable.startswith(_FORMULA_STARTS) else encodable
