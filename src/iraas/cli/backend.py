"""settings -> the backend that they name, for a command that asks it something and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from iraas.errors import ConfigurationError
from iraas.settings import load_settings
from iraas.wiring.backend import Backend, open_backend

Data = Annotated[Path | None, typer.Option(help="Folder of the queue and the stores. [default: .iraas]")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_T = TypeVar("_T")


def ask_backend(data: Path | None, ask: Callable[[Backend], Awaitable[_T]]) -> _T:
    """What `ask` learns of the backend. Raises `ConfigurationError`, also for a folder that is no service's."""

    async def run() -> _T:
        settings = load_settings(data=data)
        if settings.backend == "embedded" and not (settings.data / "queue.sqlite3").exists():
            raise ConfigurationError(
                f"no service has run on the folder {settings.data}; name its --data, "
                "or set IRAAS_BACKEND=aws for one on AWS"
            )
        backend = open_backend(settings, inline=True)
        try:
            await backend.check("operator")
            return await ask(backend)
        finally:
            await backend.close()

    return asyncio.run(run())
