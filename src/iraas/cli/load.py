"""URL, folder of pictures -> load on a service, and what came of it: `iraas load`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iraas.errors import ConfigurationError

if TYPE_CHECKING:
    from iraas.load.plan import Closed, Open
    from iraas.load.run import Run
    from iraas.load.summary import Summary


def load(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="Where to post. An address without any path means /v1/images there."
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Pictures, sent in turn.")],
    clients: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, show_default="32", help="That wait for their answer before they go on."
        ),
    ] = None,
    requests: Annotated[
        int | None,
        typer.Option(min=1, help="Of all clients together.", show_default="each picture once"),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Pictures a second, by the clock, whatever is answered.")
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            help="How the rate moves: steady, step, spike, flash, ramp, daily, waves.", show_default="steady"
        ),
    ] = None,
    duration: Annotated[
        str | None, typer.Option(help="90s, 15m, 2h; also ends clients.", show_default="60s with --rate")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(help="CSV with the times at which pictures are due, in place of --rate.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what is random in --rate and --trace.")] = 0,
    max_open: Annotated[
        int, typer.Option(min=1, max=50_000, help="Requests at once with --rate or --trace; others wait.")
    ] = 1_000,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for a request until its answer.")] = 60.0,
    field: Annotated[str, typer.Option(help="The form's field that carries the picture.")] = "file",
    match: Annotated[
        str,
        typer.Option(
            help="Where the label is in an answer: a JSON path (predictions.0.label), or a regular "
            "expression with a group ('^[^:]+:(.*)$')."
        ),
    ] = "label",
    expect: Annotated[
        Path | None,
        typer.Option(help="CSV of file name and label; without it, a picture's first answer is the measure."),
    ] = None,
    api_key: Annotated[
        str,
        typer.Option(
            "--api-key", "--key", envvar="IRAAS_API_KEY", help="The service's key. Others can see it in `ps`."
        ),
    ] = "",
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML report with pictures; needs iraas[plots].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Put load on a service, and check every answer.

    Without --rate and --trace, clients send their next picture when they have their answer. With one of them,
    requests go out by the clock, and latency counts from when a request was due: a service that stalls cannot hide
    it by slowing the load down.

    Works with any service that takes a picture as a multipart form; see --field and --match. A 202 with a Location is
    followed to its answer. Nothing is retried. If the service has /v1/fleet, its queue and workers are in the report.

    Exit code: 0 when every request got its right answer; 1 when one was wrong, refused (429, 503) or missing, or on
    Ctrl-C; 2 when the command cannot work.
    """
    from iraas.cli.load_plan import LoadOptions, plan_of, read
    from iraas.cli.open_files import raise_open_files_limit
    from iraas.load.label import label_finder
    from iraas.load.pictures import Pictures
    from iraas.load.run import run_load
    from iraas.load.summary import summarise
    from iraas.load.table import hints, rows
    from iraas.load.target import Target
    from iraas.load.verdict import Verdicts, read_labels

    options = LoadOptions(clients, requests, rate, shape, duration, trace, seed, max_open)
    if report is not None:
        _need_report(report)
    find_label = label_finder(match)
    expected = {} if expect is None else read(expect, "--expect", read_labels)
    pictures = Pictures(folder, field=field)
    plan = plan_of(options, pictures=len(pictures))
    verdicts = Verdicts(pictures.names, expected)
    target = Target(url, api_key=api_key, content_type=pictures.content_type, timeout=timeout)
    raise_open_files_limit()
    with _bar(plan) as advance:
        run = run_load(plan, target, pictures, find_label=find_label, verdicts=verdicts, advance=advance)
    summary = summarise(run, plan, url=str(target.url), first_wrong=verdicts.first_wrong)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(summary)).decode())
    else:
        _print(rows(summary))
    for hint in hints(summary, run.unlabelled):
        typer.echo(f"iraas: {hint}", err=True)
    if report is not None:
        _write(report, run, summary)
    if not summary.is_good:
        raise typer.Exit(1)


def _need_report(path: Path) -> None:
    """Raise `ConfigurationError` before the load rather than after it."""
    from iraas.load.plots import need_plots

    need_plots()
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigurationError(f"--report {path}: give the name of a file in a folder that exists")


def _write(path: Path, run: Run, summary: Summary) -> None:
    from datetime import UTC, datetime

    from iraas.load.report import as_html

    when = datetime.fromtimestamp(run.begun_at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    try:
        path.write_text(as_html(run, summary, when=when), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--report {path} cannot be written: {error.strerror}") from error


def _print(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        typer.echo(f"{name:<{width}}  {value}")


@contextmanager
def _bar(plan: Closed | Open) -> Iterator[Callable[[], object]]:
    """A progress bar on standard error if that is a terminal, and what moves it by one request."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("load", total=plan.expected)
        yield lambda: bar.advance(task)
