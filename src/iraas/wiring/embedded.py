"""Settings -> the embedded backend: one folder with a queue in SQLite and objects in files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from iraas.blobs.files import FileBlobs
from iraas.blobs.port import Blobs
from iraas.blobs.retention import Retention
from iraas.clock import Clock, SystemClock
from iraas.errors import ConfigurationError
from iraas.fleet.port import Fleet
from iraas.intake.resend import Resend
from iraas.places import begun_note, bells_folder, fleet_file
from iraas.queues.port import Queue, ResponseQueues
from iraas.queues.sqlite import SqliteDatabase, SqliteQueue, SqliteResponseQueues
from iraas.settings import Settings
from iraas.telemetry import Telemetry
from iraas.wiring.backend import Background, Sight, Tier
from iraas.wiring.overrides import Overrides
from iraas.worker.begun import BegunNote

DAY = 86_400.0  # seconds
EXPIRE_EVERY_SECONDS = 3_600.0


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


class EmbeddedBackend:
    """Everything on one machine; keeps the promises of `Backend`."""

    sample_seconds = 0.25
    lag_seconds = 0.0

    def __init__(
        self, settings: Settings, *, inline: bool, overrides: Overrides, telemetry: Telemetry
    ) -> None:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._settings = settings
        self._telemetry = telemetry
        self._database = open_database(settings, inline=inline)
        self._input_files = FileBlobs(
            settings.data / "inputs",
            durability=settings.durability,
            inline=inline,
            max_bytes=settings.max_store_bytes,
        )
        self._result_files = FileBlobs(
            settings.data / "results", durability=settings.durability, inline=inline
        )
        self.clock: Clock = SystemClock()
        self.requests: Queue = overrides.requests(request_queue(self._database, settings))
        self.dead_letters: Queue = SqliteQueue(
            self._database, "requests-dead", visibility_timeout=settings.visibility_timeout
        )
        self.responses: ResponseQueues = overrides.responses(SqliteResponseQueues(self._database))
        self.inputs: Blobs = overrides.inputs(self._input_files)
        self.results: Blobs = overrides.results(self._result_files)
        self.fleet: Fleet = fleet_file(settings)

    def heartbeat_queue(self) -> Queue:
        """The request queue once more, on a connection of its own."""
        return request_queue(open_database(self._settings, inline=True), self._settings)

    def begun_note(self) -> BegunNote:
        """Where the supervisor looks when this worker dies."""
        return BegunNote(begun_note(self._settings, str(os.getpid())))

    def upkeep(self) -> Mapping[str, Background]:
        """Queue again what a power loss took, and remove what is too old."""
        resend = Resend(
            inputs=self.inputs,
            results=self.results,
            requests=self.requests,
            clock=self.clock,
            telemetry=self._telemetry,
        )
        return {"resend": resend.keep_sweeping, "retention": self._retain, "expiry": self._expire}

    def steering(self, sight: Sight) -> Mapping[str, Background]:  # noqa: ARG002 - the supervisor sees more
        """Nothing: the supervisor steers the fleet of one machine."""
        return {}

    def key_secret(self) -> None:
        """None. Raises `ConfigurationError` where one is set: keys that are not read must not be believed in."""
        if self._settings.api_keys_secret:
            raise ConfigurationError(
                "IRAAS_API_KEYS_SECRET is read by the aws backend only; set IRAAS_API_KEYS"
            )

    def gauge(self) -> None:
        """How full the disk is."""
        self._telemetry.gauge("iraas_store_bytes", self._input_files.tally.used)

    async def check(self, tier: Tier) -> None:
        """What is missing here is made."""

    async def close(self) -> None:
        """Give back what is held open."""
        await self.inputs.close()
        await self.results.close()
        self._database.close()

    async def _retain(self) -> None:
        retention = Retention(
            self._input_files,
            self._result_files,
            clock=self.clock,
            inputs_days=self._settings.inputs_days,
            answers_days=self._settings.answers_days,
            max_bytes=self._settings.max_store_bytes,
            telemetry=self._telemetry,
        )
        await retention.run(asyncio.Event())

    async def _expire(self) -> None:
        while True:
            await self._database.expire(self._settings.queue_days * DAY)
            await asyncio.sleep(EXPIRE_EVERY_SECONDS)
