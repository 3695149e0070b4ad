"""`iraas worker`: one app-tier process."""

from __future__ import annotations

import asyncio
import signal

from iraas.settings import Settings, load_settings
from iraas.wiring import NO_OVERRIDES, Overrides, build_worker


def worker() -> None:
    """Take jobs from the queue and answer them, until SIGTERM. All settings come from IRAAS_* or iraas.toml."""
    run_worker(load_settings())


def run_worker(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> None:
    """Run one worker in this process until SIGTERM or SIGINT."""
    from iraas.fleet.lifeline import end_with_parent
    from iraas.telemetry import configure_logging

    end_with_parent()
    configure_logging(settings.log_level, settings.log_format)
    asyncio.run(_serve(settings, overrides))


async def _serve(settings: Settings, overrides: Overrides) -> None:
    from iraas.fleet.lifeline import say_ready

    worker = build_worker(settings, overrides)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    say_ready()
    await worker.run()
