"""`iraas doctor`: what is wrong on this machine, and the mend."""

from __future__ import annotations

import asyncio
import json
import platform
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from iraas.errors import ConfigurationError, IraasError
from iraas.settings import Settings, load_settings

LEAST_FREE_BYTES = 1_000_000_000
BYTES_A_WORKER = 300_000_000  # resident, with the largest of our models


class Finding(NamedTuple):
    """What a check found."""

    name: str
    ok: bool
    found: str
    mend: str = ""


def doctor(
    data: Annotated[
        Path | None, typer.Option(help="Folder of the queue and the stores. [default: .iraas]")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to be listened on. [default: 8080]")] = None,
    model: Annotated[str | None, typer.Option(help="Model to be served. [default: default]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that this machine can run the service. Exit code 0 when it can, 1 when something needs mending."""
    try:
        settings = load_settings(data=data, port=port, model=model)
        checks = {**CHECKS, **(HERE if settings.backend == "embedded" else ON_AWS)}
        findings = [_checked(name, check, settings) for name, check in checks.items()]
    except ConfigurationError as error:
        findings = [Finding("settings", False, error.detail, "correct the setting that is named")]
    if as_json:
        typer.echo(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'BAD '} {finding.name}: {finding.found}")
            if not finding.ok:
                typer.echo(f"       mend: {finding.mend}")
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


def _checked(name: str, check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Finding:
    try:
        return next(check(settings))
    except (IraasError, OSError) as error:
        return Finding(name, False, str(error), "mend what the message names, and run this again")


def _python(_settings: Settings) -> Iterator[Finding]:
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding("python", fits, f"{version} on {platform.system()}", "use Python 3.11, 3.12 or 3.13")


def _processor(settings: Settings) -> Iterator[Finding]:
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [name for name in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if f" {name}" in flags]
    what = ", ".join(names) or "no vector extensions that we know"
    yield Finding("processor", True, f"{settings.workers} workers on {platform.machine()} with {what}")


def _memory(settings: Settings) -> Iterator[Finding]:
    needed = BYTES_A_WORKER * settings.workers + settings.max_bodies_bytes
    facts = Path("/proc/meminfo")
    if not facts.exists():
        yield Finding("memory", True, "cannot be read here")
        return
    lines = dict(line.split(":", 1) for line in facts.read_text().splitlines())
    available = int(lines["MemAvailable"].split()[0]) * 1024
    yield Finding(
        "memory",
        available >= needed,
        f"{available / 1e9:.1f} GB available, up to {needed / 1e9:.1f} GB needed",
        "start fewer workers (IRAAS_WORKERS) or lower IRAAS_MAX_BODIES_BYTES",
    )


def _open_files(settings: Settings) -> Iterator[Finding]:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.max_connections + 64
    yield Finding(
        "open files",
        hard < 0 or hard >= needed,
        f"{hard} allowed, {needed} needed",
        "raise the hard limit (`ulimit -Hn`), or lower IRAAS_MAX_CONNECTIONS",
    )


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data.absolute()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    with tempfile.NamedTemporaryFile(dir=existing):
        free = shutil.disk_usage(existing).free
    yield Finding(
        "data folder",
        free >= LEAST_FREE_BYTES,
        f"{folder} with {free / 1e9:.0f} GB free, {settings.max_store_bytes / 1e9:.0f} GB wanted at most",
        "free some room, choose another folder with --data, or lower IRAAS_MAX_STORE_BYTES",
    )


def _port(settings: Settings) -> Iterator[Finding]:
    from iraas.cli.web import listen

    listen(settings.host, settings.port).close()
    yield Finding("port", True, f"{settings.host} port {settings.port} is free")


def _queue(settings: Settings) -> Iterator[Finding]:
    from iraas.places import runtime_folder
    from iraas.queues.port import Message
    from iraas.wiring.backend import open_backend

    async def carry(folder: str) -> int:
        backend = open_backend(settings.model_copy(update={"data": Path(folder)}), inline=True)
        try:
            await backend.requests.send([Message(b"probe")])
            deliveries = await backend.requests.receive(up_to=1, wait=0)
            await backend.requests.delete([delivery.receipt for delivery in deliveries])
            return len(deliveries)
        finally:
            await backend.close()

    with tempfile.TemporaryDirectory() as folder:
        try:
            carried = asyncio.run(carry(folder))
        finally:
            shutil.rmtree(runtime_folder(settings.model_copy(update={"data": Path(folder)})))
    yield Finding(
        "queue",
        carried == 1,
        f"{carried} of 1 message came through",
        "report this with your SQLite's version",
    )


def _queues_and_buckets(settings: Settings) -> Iterator[Finding]:
    from iraas.wiring.backend import open_backend

    async def ask() -> None:
        backend = open_backend(settings, inline=True)
        try:
            await backend.check("operator")
        finally:
            await backend.close()

    asyncio.run(ask())
    yield Finding("queues and buckets", True, "both queues and both buckets can be read from here")


def _model(settings: Settings) -> Iterator[Finding]:
    from iraas.cli.models import check_model

    yield Finding("model", True, check_model(settings))


CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "python": _python,
    "processor": _processor,
    "memory": _memory,
    "open files": _open_files,
    "port": _port,
    "model": _model,
}
HERE = {"data folder": _data_folder, "queue": _queue}  # on one machine
ON_AWS = {"queues and buckets": _queues_and_buckets}
