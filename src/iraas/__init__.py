"""iraas: image recognition as a service. A picture in, its label out, through durable queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "__version__"]

if TYPE_CHECKING:
    from iraas.client import AsyncClient, Client


def __getattr__(name: str) -> object:
    """The clients, loaded when they are asked for: a worker needs no HTTP client in its memory."""
    if name in {"Client", "AsyncClient"}:
        from iraas import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
