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
from typing import IO, Annotated

import typer

from iraas.settings import Settings, load_settings


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
    workers: Annotated[int | None, typer.Option(help="Worker processes. [default: one a core]")] = None,
    no_auth: Annotated[
        bool | None, typer.Option("--no-auth", help="Listen beyond this machine without API keys.")
    ] = None,
) -> None:
    """Start the whole service on this machine: one web process, the workers, a durable queue and stores.

    Every other setting is an IRAAS_* variable or a line of iraas.toml; docs/settings.md lists them. Ctrl-C or
    SIGTERM ends everything in order: what was accepted is answered now, or at the next start.
    """
    run_up(load_settings(port=port, host=host, data=data, model=model, workers=workers, no_auth=no_auth))


def run_up(settings: Settings, command: Sequence[str] | None = None) -> None:
    """Run the supervisor in this process until SIGTERM or SIGINT. `command` starts this program again."""
    from iraas.cli.web import listen
    from iraas.places import metrics_folder
    from iraas.telemetry import configure_logging

    configure_logging(settings.log_level, settings.log_format)
    with claim(settings.data), listen(settings.host, settings.port) as listening:
        metrics = metrics_folder(settings)
        shutil.rmtree(metrics, ignore_errors=True)  # the numbers of processes that are gone
        metrics.mkdir(mode=0o700)
        asyncio.run(_supervise(settings, listening, metrics, command))


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
    settings: Settings, listening: socket.socket, metrics: Path, command: Sequence[str] | None
) -> None:
    from iraas.cli.web import address
    from iraas.fleet.local import LocalFleet, clean_environment, this_command
    from iraas.places import begun_note, fleet_file
    from iraas.wiring.embedded import open_database, request_queue
    from iraas.worker.begun import read_note

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    database = open_database(settings, inline=True)
    requests = request_queue(database, settings)

    async def end_leases(owner: str) -> None:
        await requests.end_leases(owner, begun=read_note(begun_note(settings, owner)))

    for owner in await requests.owners():  # of an earlier run, all dead: the folder is ours
        await end_leases(owner)
    fleet = LocalFleet(
        command=command or this_command(),
        environment={
            **clean_environment(),
            **settings.environment(),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        },
        listen_fd=listening.fileno(),
        workers=settings.workers,
        file=fleet_file(settings),
        end_leases=end_leases,
        on_serving=lambda: typer.echo(f"iraas is serving on {address(listening)}"),
    )
    try:
        await fleet.run(stop)
    finally:
        database.close()
