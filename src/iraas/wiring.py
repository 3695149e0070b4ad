"""The composition root: Settings -> the parts, joined. Nothing else knows which backend it works on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from iraas.answers.dead_letters import DeadLetters
from iraas.answers.wait import Answers
from iraas.blobs.files import FileBlobs
from iraas.blobs.port import Blobs
from iraas.clock import Clock, SystemClock
from iraas.intake.admission import Admission
from iraas.intake.inspect import Limits
from iraas.intake.resend import Resend
from iraas.intake.submit import Intake
from iraas.places import begun_note, bells_folder, fleet_file
from iraas.queues.port import Queue, ResponseQueues
from iraas.queues.sqlite import SqliteDatabase, SqliteQueue, SqliteResponseQueues
from iraas.settings import LOOPBACK, Settings
from iraas.telemetry import Log, Telemetry

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from iraas.models.port import Model
    from iraas.web.desk import Desk
    from iraas.worker.alone import LocalClassifier
    from iraas.worker.loop import Worker

DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Overrides:
    """What a test puts in the place of the real parts."""

    model: Callable[[Settings], Model] | None = None
    requests: Callable[[Queue], Queue] = field(default=lambda queue: queue)
    responses: Callable[[ResponseQueues], ResponseQueues] = field(default=lambda queues: queues)
    inputs: Callable[[Blobs], Blobs] = field(default=lambda blobs: blobs)
    results: Callable[[Blobs], Blobs] = field(default=lambda blobs: blobs)
    quarantine: tuple[str, ...] = (sys.executable, "-m", "iraas.cli.quarantine")


NO_OVERRIDES = Overrides()


class Backend(NamedTuple):
    """The queues and stores of one process, embedded."""

    clock: Clock
    database: SqliteDatabase
    requests: Queue
    dead_letters: Queue
    responses: ResponseQueues
    inputs: Blobs
    results: Blobs
    input_files: FileBlobs
    result_files: FileBlobs

    async def close(self) -> None:
        """Give back what is held open."""
        await self.inputs.close()
        await self.results.close()
        self.database.close()


class Web(NamedTuple):
    """The web tier, ready to be served."""

    app: ASGIApp
    desk: Desk


def limits(settings: Settings) -> Limits:
    """What a picture may be."""
    return Limits(
        max_image_bytes=settings.max_image_bytes,
        max_pixels=settings.max_pixels,
        max_side=settings.max_side,
        max_chunks_before_data=settings.max_chunks_before_data,
        max_chunks=settings.max_chunks,
    )


def open_database(settings: Settings, *, inline: bool) -> SqliteDatabase:
    """The embedded queues' file. `inline`: calls run in the caller's thread."""
    return SqliteDatabase(
        settings.data,
        clock=SystemClock(),
        runtime=bells_folder(settings),
        durability=settings.durability,
        inline=inline,
    )


def request_queue(database: SqliteDatabase, settings: Settings) -> SqliteQueue:
    """The request queue, leased in the name of this process."""
    return SqliteQueue(
        database,
        "requests",
        visibility_timeout=settings.visibility_timeout,
        max_receives=settings.max_receives,
        dead_letter="requests-dead",
        owner=str(os.getpid()),
    )


def open_backend(settings: Settings, *, inline: bool, overrides: Overrides = NO_OVERRIDES) -> Backend:
    """Everything that stands behind the ports, for one process."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = open_database(settings, inline=inline)
    inputs = FileBlobs(
        settings.data / "inputs",
        durability=settings.durability,
        inline=inline,
        max_bytes=settings.max_store_bytes,
    )
    results = FileBlobs(settings.data / "results", durability=settings.durability, inline=inline)
    return Backend(
        clock=SystemClock(),
        database=database,
        requests=overrides.requests(request_queue(database, settings)),
        dead_letters=SqliteQueue(database, "requests-dead", visibility_timeout=settings.visibility_timeout),
        responses=overrides.responses(SqliteResponseQueues(database)),
        inputs=overrides.inputs(inputs),
        results=overrides.results(results),
        input_files=inputs,
        result_files=results,
    )


def dead_letters(backend: Backend) -> DeadLetters:
    """The jobs that nobody could finish."""
    return DeadLetters(
        queue=backend.dead_letters,
        requests=backend.requests,
        responses=backend.responses,
        inputs=backend.inputs,
        results=backend.results,
        clock=backend.clock,
    )


def build_web(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> Web:
    """The web tier."""
    from iraas.blobs.retention import Retention
    from iraas.web.app import build_app, keep_running
    from iraas.web.auth import Gatekeeper, Keys
    from iraas.web.desk import Desk
    from iraas.web.limits import BodyBudget, BodyLimits

    backend = open_backend(settings, inline=False, overrides=overrides)
    telemetry = Telemetry()
    fleet = fleet_file(settings)
    keys = Keys(settings.api_keys)
    admission = Admission(
        depth=backend.requests.depth,
        fleet=fleet,
        clock=backend.clock,
        max_backlog_seconds=settings.max_backlog_seconds,
        owners=len(keys),
    )
    answers = Answers(results=backend.results, telemetry=telemetry, on_reply=admission.answered)
    budget = BodyBudget(settings.max_bodies_bytes)
    desk = Desk(
        intake=Intake(
            inputs=backend.inputs,
            results=backend.results,
            requests=backend.requests,
            clock=backend.clock,
            limits=limits(settings),
        ),
        admission=admission,
        answers=answers,
        inputs=backend.inputs,
        results=backend.results,
        telemetry=telemetry,
        budget=budget,
        body_limits=BodyLimits(
            settings.body_first_byte_seconds, settings.body_bytes_per_second, settings.body_max_seconds
        ),
        max_image_bytes=settings.max_image_bytes,
    )
    resend = Resend(
        inputs=backend.inputs,
        results=backend.results,
        requests=backend.requests,
        clock=backend.clock,
        telemetry=telemetry,
    )
    retention = Retention(
        backend.input_files,
        backend.result_files,
        clock=backend.clock,
        inputs_days=settings.inputs_days,
        answers_days=settings.answers_days,
        max_bytes=settings.max_store_bytes,
        telemetry=telemetry,
    )

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        desk.reply_to, own_queue = await backend.responses.open()
        listening = asyncio.create_task(keep_running("replies", lambda: answers.listen(own_queue)))
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await backend.responses.close()
            await backend.close()
            Log()("web.stopped")

    async def keep_tidy() -> None:
        await retention.run(asyncio.Event())

    async def expire_messages() -> None:
        while True:
            await backend.database.expire(settings.queue_days * DAY)
            await asyncio.sleep(3600)

    async def measure() -> None:
        telemetry.gauge("iraas_body_bytes", budget.held)
        telemetry.gauge("iraas_store_bytes", backend.input_files.tally.used)
        state = fleet.state()
        telemetry.gauge("iraas_workers", state.in_service, state="in service")
        telemetry.gauge("iraas_workers", state.starting, state="starting")
        depth = await backend.requests.depth()
        telemetry.gauge("iraas_queue_visible", depth.visible)
        telemetry.gauge("iraas_queue_in_flight", depth.in_flight)
        telemetry.gauge("iraas_queue_oldest_seconds", depth.oldest_age)

    app = build_app(
        desk=desk,
        gatekeeper=Gatekeeper(keys, loopback_only=settings.host in LOOPBACK),
        probes={
            "request queue": backend.requests.depth,
            "input store": lambda: backend.inputs.head("readiness-probe"),
            "results store": lambda: backend.results.head("readiness-probe"),
        },
        measure=measure,
        telemetry=telemetry,
        lifespan=lifespan,
        background={
            "dead letters": dead_letters(backend).keep_collecting,
            "resend": resend.keep_sweeping,
            "retention": keep_tidy,
            "expiry": expire_messages,
        },
    )
    return Web(app, desk)


def load_model(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> Model:
    """The model that the settings name. Raises `ConfigurationError`."""
    from iraas.models.catalog import load_model

    if overrides.model is not None:
        return overrides.model(settings)
    return load_model(settings.model, engine=settings.engine, providers=_providers(settings))


def _providers(settings: Settings) -> tuple[str, ...]:
    return tuple(name.strip() for name in settings.onnx_providers.split(","))


def load_classifier(settings: Settings) -> LocalClassifier:
    """The model and its decoder in this process, without queues. Raises `ConfigurationError`."""
    from iraas.worker.alone import LocalClassifier
    from iraas.worker.infer import Classifier

    return LocalClassifier(Classifier(load_model(settings), limits(settings)), limits(settings))


def build_worker(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> Worker:
    """One worker with its model loaded. To be called inside its event loop."""
    from iraas.worker.begun import BegunNote
    from iraas.worker.finish import Finisher
    from iraas.worker.heartbeat import Heartbeat
    from iraas.worker.infer import Classifier
    from iraas.worker.loop import Worker
    from iraas.worker.quarantine import Quarantine

    classifier = Classifier(load_model(settings, overrides), limits(settings))
    backend = open_backend(settings, inline=True, overrides=overrides)
    telemetry = Telemetry()
    return Worker(
        requests=backend.requests,
        inputs=backend.inputs,
        results=backend.results,
        finisher=Finisher(
            inputs=backend.inputs,
            results=backend.results,
            requests=backend.requests,
            responses=backend.responses,
            clock=backend.clock,
            telemetry=telemetry,
        ),
        classifier=classifier,
        quarantine=Quarantine(quarantine_starter(settings, overrides), telemetry=telemetry),
        heartbeat=Heartbeat(
            lambda: request_queue(open_database(settings, inline=True), settings),
            every=settings.heartbeat,
            telemetry=telemetry,
        ),
        clock=backend.clock,
        telemetry=telemetry,
        begun=BegunNote(begun_note(settings, str(os.getpid()))),
    )


def quarantine_starter(settings: Settings, overrides: Overrides) -> Callable[[], Popen[bytes]]:
    """How a worker starts its quarantine child: in a session of its own, so that no Ctrl-C reaches it."""
    from iraas.fleet.lifeline import PARENT
    from iraas.worker.child import ENVIRONMENT, ChildSettings

    told = ChildSettings(settings.model, settings.engine, _providers(settings), limits(settings))

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
