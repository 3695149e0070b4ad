"""`iraas web`: one web-tier process."""

from __future__ import annotations

import asyncio
import gc
import os
import socket

from iraas.cli.open_files import raise_open_files_limit
from iraas.settings import Settings, load_settings
from iraas.wiring.overrides import NO_OVERRIDES, Overrides

DRAIN_SECONDS = (
    10  # uploads that take longer than this after SIGTERM are cut off; nothing was accepted of them
)


def web() -> None:
    """Serve HTTP until SIGTERM. All settings come from IRAAS_* or iraas.toml.

    On AWS it needs IRAAS_BACKEND=aws, IRAAS_REQUEST_QUEUE_URL, IRAAS_DEAD_LETTER_QUEUE_URL, IRAAS_INPUT_BUCKET and
    IRAAS_RESULT_BUCKET, and usually IRAAS_HOST and IRAAS_API_KEYS. Credentials and region come from where the AWS
    SDK looks for them. What is missing or forbidden is named at the start, with exit code 2. `/livez` is for a
    load balancer, `/readyz` says whether queue and stores can be reached. docs/settings.md lists the rest.
    """
    run_web(load_settings())


def run_web(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> None:
    """Run the web tier in this process until SIGTERM or SIGINT."""
    import uvicorn

    from iraas.fleet.lifeline import end_with_parent, say_ready
    from iraas.fleet.local import LISTEN
    from iraas.telemetry import Log, configure_logging
    from iraas.web.server import KEEP_ALIVE_SECONDS, bounded
    from iraas.wiring.web import build_web

    end_with_parent()
    configure_logging(settings.log_level, settings.log_format)
    raise_open_files_limit()
    inherited = os.environ.get(LISTEN)
    listening = socket.socket(fileno=int(inherited)) if inherited else listen(settings.host, settings.port)
    built = build_web(settings, overrides)
    asyncio.run(built.backend.check("web"))  # one call after the other: nothing stays bound to this loop

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            say_ready()
            Log()("web.started", address=address(listening))

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await super().shutdown(sockets)
            self._captured_signals.clear()  # uvicorn would raise them again, and end this process by them

        def handle_exit(self, sig: int, frame: object) -> None:
            built.desk.close()
            super().handle_exit(sig, frame)  # type: ignore[arg-type]

    config = uvicorn.Config(
        built.app,
        http=bounded(
            head_max_bytes=settings.head_max_bytes,
            head_max_seconds=settings.head_max_seconds,
            max_connections=settings.max_connections,
        ),
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    gc.freeze()  # what was imported lives as long as the process: no collection need look at it
    Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `ConfigurationError` in words when the address cannot be had."""
    from iraas.errors import ConfigurationError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port, 0 for any"
        ) from error
    return listening


def address(listening: socket.socket) -> str:
    """The URL that reaches a listening socket from this machine."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
