"""Files and folders -> labels, in this process or by a running service: `iraas classify`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from iraas.errors import ConfigurationError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


def classify(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Pictures, and folders of pictures.")
    ],
    url: Annotated[
        str | None, typer.Option(help="Ask the service at this address; without it, no server is needed.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="IRAAS_API_KEY", help="The service's key. Others can see it in `ps`.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=100, help="Predictions a picture in --json.")] = 5,
    model: Annotated[
        str | None, typer.Option(help="fast, default, accurate, or a model folder; not with --url.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    concurrency: Annotated[
        int, typer.Option(min=1, max=256, help="Pictures at the service at once; only with --url.")
    ] = 8,
) -> None:
    """Say what is in pictures.

    Of a folder, everything below it that is called .png, .jpg, .jpeg or .webp is taken, sorted; a file that
    is named itself is tried whatever it is called. A picture without an answer gets a row that says why, and
    the others go on.

    Exit code: 0 when every picture was answered, 1 when some were not, 2 when the command cannot work.
    """
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other.")
    if url is not None and model is not None:
        raise typer.BadParameter("--model is for this process; the service at --url has its own.")
    pictures = _pictures(paths)
    if not pictures:
        raise ConfigurationError(f"no picture (png, jpg, jpeg, webp) below {', '.join(map(str, paths))}")

    from iraas.cli.classify_roads import classify_here, classify_there
    from iraas.cli.classify_rows import AnswerTable, Csv, InOrder, JsonLines, Outcome

    rows = JsonLines() if as_json else Csv() if as_csv else AnswerTable()
    in_order = InOrder(pictures, rows)
    try:
        with _bar(len(pictures), rows_appear=as_json or as_csv) as advance:

            def report(number: int, outcome: Outcome) -> None:
                in_order.add(number, outcome)
                advance()

            if url is None:
                from iraas.settings import load_settings

                classify_here(pictures, load_settings(model=model), top=top, report=report)
            else:
                classify_there(
                    pictures, url, api_key=api_key, top=top, concurrency=concurrency, report=report
                )
    finally:
        rows.end()
    if in_order.unanswered:
        typer.echo(f"iraas: {in_order.unanswered} of {len(pictures)} pictures have no answer", err=True)
        raise typer.Exit(1)


def _pictures(paths: Sequence[Path]) -> list[Path]:
    """Named files as they are, and what lies below the folders, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        found |= dict.fromkeys(sorted(_below(path)) if _is(path.is_dir, unknown=False) else [path])
    return list(found)


def _below(folder: Path) -> Iterator[Path]:
    closed: list[OSError] = []
    for parent, _, names in os.walk(folder, onerror=closed.append):
        for path in (Path(parent, name) for name in names):
            if path.suffix.lower() in SUFFIXES and _is(path.is_file, unknown=True):  # a pipe would block
                yield path
    yield from (Path(error.filename) for error in closed)


def _is(kind: Callable[[], bool], *, unknown: bool) -> bool:
    try:
        return kind()
    except OSError:  # not ours to look at: opening it later says so in its row
        return unknown


@contextmanager
def _bar(total: int, *, rows_appear: bool) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error if that is a terminal, and what moves the bar by one picture."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    hidden = not sys.stderr.isatty() or (rows_appear and sys.stdout.isatty())  # rows are progress enough
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    console = Console(stderr=True)
    # `redirect_stdout` would send rows that are printed meanwhile to standard error.
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, disable=hidden) as bar:
        task = bar.add_task("classify", total=total)
        yield lambda: bar.advance(task)
