"""`iraas up`: everything on this machine, with one command."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from iraas.settings import Settings, load_settings

if TYPE_CHECKING:
    from iraas.scaling.plan import Plan


def up(
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 takes a free one. [default: 8080]")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the queue and the stores. [default: .iraas]")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="fast, default, accurate, or a model folder of your own. [default: default]"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Worker processes, always so many. [default: one a core]")
    ] = None,
    minimum: Annotated[
        int | None,
        typer.Option("--min", help="Workers that there always are; 0: none while nothing is to do."),
    ] = None,
    maximum: Annotated[int | None, typer.Option("--max", help="Workers that there are at most.")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy by which workers come and go, as a TOML file. [default: ours]")
    ] = None,
    no_auth: Annotated[
        bool | None, typer.Option("--no-auth", help="Listen beyond this machine without API keys.")
    ] = None,
) -> None:
    """Start the whole service on this machine: one web process, the workers, a durable queue and stores.

    Every other setting is an IRAAS_* variable or a line of iraas.toml; docs/settings.md lists them. Ctrl-C or
    SIGTERM ends everything in order: what was accepted is answered now, or at the next start.
    """
    run_up(
        load_settings(
            port=port,
            host=host,
            data=data,
            model=model,
            workers=workers,
            min_workers=minimum,
            max_workers=maximum,
            policy=None if policy is None else str(policy),
            no_auth=no_auth,
        )
    )


def run_up(settings: Settings, command: Sequence[str] | None = None) -> None:
    """Run the supervisor in this process until SIGTERM or SIGINT. `command` starts this program again."""
    from iraas.cli.web import listen
    from iraas.places import metrics_folder
    from iraas.telemetry import configure_logging
    from iraas.wiring.fleet import plan_of

    configure_logging(settings.log_level, settings.log_format)
    plan = plan_of(settings)
    if plan.minimum == 0 and command is None:
        from iraas.models.catalog import find_model

        find_model(settings.model)  # else nobody would say that it is wrong until the first picture comes
    with claim(settings.data), listen(settings.host, settings.port) as listening:
        metrics = metrics_folder(settings)
        shutil.rmtree(metrics, ignore_errors=True)  # the numbers of processes that are gone
        metrics.mkdir(mode=0o700)
        asyncio.run(_supervise(settings, plan, listening, metrics, command))


def claim(data: Path) -> IO[str]:
    """The data folder, for this process alone. Raises `ConfigurationError` when another one has it."""
    from iraas.errors import ConfigurationError

    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data / "lock").open("a+")
    except OSError as error:
        raise ConfigurationError(
            f"cannot use the folder {data}: {error.strerror}; choose another with --data"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise ConfigurationError(
            f"{data} is in use by another `iraas up` (process {owner}); end it, or choose another folder with --data"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


async def _supervise(
    settings: Settings, plan: Plan, listening: socket.socket, metrics: Path, command: Sequence[str] | None
) -> None:
    from iraas.cli.web import address
    from iraas.wiring.embedded import open_database
    from iraas.wiring.fleet import build_fleet

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    database = open_database(settings, inline=True)
    built = await build_fleet(
        settings,
        plan,
        database,
        listen_fd=listening.fileno(),
        metrics=metrics,
        command=command,
        on_serving=lambda: typer.echo(f"iraas is serving on {address(listening)}"),
    )
    steering = asyncio.create_task(built.controller.run())
    try:
        await built.fleet.run(stop)
    finally:
        steering.cancel()
        await asyncio.gather(steering, return_exceptions=True)
        built.arrivals.flush()
        database.close()
