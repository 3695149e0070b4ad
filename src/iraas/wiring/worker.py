"""Settings -> one worker with its model loaded, and how it starts its quarantine child."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from subprocess import PIPE, Popen

import msgspec

from iraas.fleet.lifeline import PARENT
from iraas.settings import Settings
from iraas.telemetry import Telemetry
from iraas.wiring.backend import Backend, open_backend
from iraas.wiring.model import limits, load_model, providers
from iraas.wiring.overrides import NO_OVERRIDES, Overrides
from iraas.worker.child import ENVIRONMENT, ChildSettings
from iraas.worker.finish import Finisher
from iraas.worker.heartbeat import Heartbeat
from iraas.worker.infer import Classifier
from iraas.worker.loop import Worker
from iraas.worker.quarantine import Quarantine


async def build_worker(
    settings: Settings,
    overrides: Overrides = NO_OVERRIDES,
    report: Callable[[int, float], None] = lambda _pictures, _busy_seconds: None,
) -> tuple[Worker, Backend]:
    """One worker with its model loaded, and what to close after it. Raises `ConfigurationError`.

    `report` is told of pictures that were ended, and for how many seconds they kept it busy. To be awaited
    inside its event loop.
    """
    telemetry = Telemetry()
    backend = open_backend(settings, inline=True, overrides=overrides, telemetry=telemetry)
    await backend.check("worker")
    if settings.metrics_port:
        telemetry.serve(settings.metrics_port)
    classifier = Classifier(load_model(settings, overrides), limits(settings))
    worker = Worker(
        requests=backend.requests,
        dead_letters=backend.dead_letters,
        inputs=backend.inputs,
        results=backend.results,
        finisher=Finisher(
            inputs=backend.inputs,
            results=backend.results,
            requests=backend.requests,
            responses=backend.responses,
            clock=backend.clock,
            telemetry=telemetry,
            worker=secrets.token_hex(4),
        ),
        classifier=classifier,
        quarantine=Quarantine(quarantine_starter(settings, overrides), telemetry=telemetry),
        heartbeat=Heartbeat(backend.heartbeat_queue, every=settings.heartbeat, telemetry=telemetry),
        clock=backend.clock,
        telemetry=telemetry,
        begun=backend.begun_note(),
        report=report,
    )
    return worker, backend


def quarantine_starter(settings: Settings, overrides: Overrides) -> Callable[[], Popen[bytes]]:
    """How a worker starts its quarantine child: in a session of its own, so that no Ctrl-C reaches it."""
    told = ChildSettings(settings.model, settings.engine, providers(settings), limits(settings))

    def start() -> Popen[bytes]:
        environment = {
            **os.environ,
            ENVIRONMENT: msgspec.json.encode(told).decode(),
            PARENT: str(os.getpid()),
        }
        return Popen(  # noqa: S603 - our own command
            overrides.quarantine, bufsize=0, stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True
        )

    return start
