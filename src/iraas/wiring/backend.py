"""Settings -> the queues and stores of one process, embedded or on AWS. Nothing else asks which."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from iraas.answers.dead_letters import DeadLetters
from iraas.blobs.port import Blobs
from iraas.clock import Clock
from iraas.fleet.port import Fleet
from iraas.queues.port import Depth, Queue, ResponseQueues
from iraas.settings import Settings
from iraas.telemetry import Telemetry
from iraas.wiring.keys import KeySecret
from iraas.wiring.overrides import NO_OVERRIDES, Overrides
from iraas.worker.begun import BegunNote, NoNote

Background = Callable[[], Awaitable[None]]
Tier = Literal["web", "worker", "operator"]  # who asks for what; the last is a person with a command


class Sight(NamedTuple):
    """What a web process sees of the service, for whoever steers its fleet."""

    depth: Callable[
        [], Awaitable[Depth]
    ]  # of the request queue, young enough; at rest asked for now and then
    accepted: Callable[[], int]  # pictures, since this process began
    service_seconds: Callable[[], float]  # that one picture keeps one worker busy; NaN: not known


class Backend(Protocol):
    """What stands behind the ports, for one process."""

    clock: Clock
    requests: Queue
    dead_letters: Queue
    responses: ResponseQueues
    inputs: Blobs
    results: Blobs
    fleet: Fleet
    sample_seconds: float  # age at which the request queue's depth is worth asking for again
    lag_seconds: float  # that the request queue may take to count what was sent

    def heartbeat_queue(self) -> Queue:
        """The request queue once more, for a thread with an event loop of its own."""
        ...

    def begun_note(self) -> BegunNote | NoNote:
        """Where this process, a worker, notes what it computes."""
        ...

    def upkeep(self) -> Mapping[str, Background]:
        """What a web process does for the backend beside its requests."""
        ...

    def steering(self, sight: Sight) -> Mapping[str, Background]:
        """What a web process does for the fleet beside its requests."""
        ...

    def key_secret(self) -> KeySecret | None:
        """Where more API keys stand. Raises `ConfigurationError`."""
        ...

    def gauge(self) -> None:
        """Set the gauges that only this backend has."""
        ...

    async def check(self, tier: Tier) -> None:
        """Raise `ConfigurationError` when something that the tier needs is missing or forbidden."""
        ...

    async def close(self) -> None:
        """Give back what is held open."""
        ...


def open_backend(
    settings: Settings,
    *,
    inline: bool,
    overrides: Overrides = NO_OVERRIDES,
    telemetry: Telemetry | None = None,
) -> Backend:
    """The backend that the settings name. `inline`: where calls do not wait, they run in the caller's thread.

    Raises `ConfigurationError`.
    """
    telemetry = telemetry or Telemetry()
    if settings.backend == "aws":
        from iraas.wiring.aws import AwsBackend  # a second of imports that one machine does not need

        return AwsBackend(settings, overrides=overrides, telemetry=telemetry)
    from iraas.wiring.embedded import EmbeddedBackend

    return EmbeddedBackend(settings, inline=inline, overrides=overrides, telemetry=telemetry)


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
