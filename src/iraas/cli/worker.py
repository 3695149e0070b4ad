"""`iraas worker`: one app-tier process."""

from __future__ import annotations

import asyncio
import signal

from iraas.settings import Settings, load_settings
from iraas.wiring.overrides import NO_OVERRIDES, Overrides


def worker() -> None:
    """Take jobs from the queue and answer them, until SIGTERM. All settings come from IRAAS_* or iraas.toml.

    On AWS it needs IRAAS_BACKEND=aws, IRAAS_REQUEST_QUEUE_URL, IRAAS_DEAD_LETTER_QUEUE_URL, IRAAS_INPUT_BUCKET and
    IRAAS_RESULT_BUCKET; IRAAS_MODEL names the model, IRAAS_METRICS_PORT a port for its numbers. Run one a core.
    Credentials and region come from where the AWS SDK looks for them. What is missing or forbidden is named at the
    start, with exit code 2. SIGTERM drains: what was begun is finished, the rest given back.
    """
    run_worker(load_settings())


def run_worker(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> None:
    """Run one worker in this process until SIGTERM or SIGINT."""
    from iraas.fleet.lifeline import end_with_parent
    from iraas.telemetry import configure_logging

    end_with_parent()
    configure_logging(settings.log_level, settings.log_format)
    asyncio.run(_serve(settings, overrides))


async def _serve(settings: Settings, overrides: Overrides) -> None:
    from iraas.fleet.lifeline import RETIRE, Line
    from iraas.wiring.worker import build_worker

    line = Line.inherited()
    worker, backend = await build_worker(settings, overrides, line.ended)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    loop.add_signal_handler(RETIRE, worker.retire)
    line.say_ready()
    try:
        await worker.run()
    finally:
        line.close()
        await backend.close()
