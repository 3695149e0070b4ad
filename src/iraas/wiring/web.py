"""Settings -> the web tier, ready to be served."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from iraas.answers.replies import Replies
from iraas.answers.wait import Answers
from iraas.intake.admission import Admission
from iraas.intake.submit import Intake
from iraas.queues.port import Depth
from iraas.settings import LOOPBACK, Settings
from iraas.telemetry import Log, Telemetry
from iraas.web.app import build_app, keep_running
from iraas.web.auth import Gatekeeper, Keys
from iraas.web.depth import LatestDepth
from iraas.web.desk import Desk
from iraas.web.limits import BodyBudget, BodyLimits
from iraas.web.pace import Pace
from iraas.web.pulse import Pulse
from iraas.wiring.backend import Backend, Background, Sight, dead_letters, open_backend
from iraas.wiring.model import limits
from iraas.wiring.overrides import NO_OVERRIDES, Overrides

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class Web(NamedTuple):
    """The web tier, ready to be served."""

    app: ASGIApp
    desk: Desk
    backend: Backend


def build_web(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> Web:
    """The web tier. Raises `ConfigurationError`."""
    telemetry = Telemetry()
    backend = open_backend(settings, inline=False, overrides=overrides, telemetry=telemetry)
    keys = Keys(settings.api_keys)
    secret = backend.key_secret()
    if secret is not None:
        secret.first(keys)
    pace = Pace(backend.clock)
    latest = LatestDepth(backend.requests.depth, backend.clock, lag_seconds=backend.lag_seconds)
    pulse = Pulse(
        depth=latest,
        fleet=backend.fleet,
        pace=pace,
        clock=backend.clock,
        sample_seconds=backend.sample_seconds,
    )
    admission = Admission(
        # Where counts lag anyway, another's sample is as good, and saves a request.
        depth=partial(latest.within, backend.sample_seconds) if backend.lag_seconds else latest.ask,
        fleet=backend.fleet,
        clock=backend.clock,
        max_backlog_seconds=settings.max_backlog_seconds,
        owners=lambda: len(keys),
        sample_seconds=backend.sample_seconds,
    )

    def answered(job_id: str, busy_ms: float) -> None:
        admission.answered(job_id, busy_ms)
        pace.answered(busy_ms)

    answers = Answers(results=backend.results, telemetry=telemetry, on_answer=answered)
    replies = Replies(
        responses=backend.responses, answers=answers, telemetry=telemetry, saw_worker=backend.fleet.saw
    )
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
        replies=replies,
        inputs=backend.inputs,
        results=backend.results,
        telemetry=telemetry,
        budget=budget,
        body_limits=BodyLimits(
            settings.body_first_byte_seconds, settings.body_bytes_per_second, settings.body_max_seconds
        ),
        max_image_bytes=settings.max_image_bytes,
        pace=pace,
        on_close=pulse.close,
    )

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await replies.open()
        listening = asyncio.create_task(keep_running("replies", replies.listen))
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await replies.close()
            await backend.close()
            Log()("web.stopped")

    async def measure() -> None:
        telemetry.gauge("iraas_body_bytes", budget.held)
        backend.gauge()
        state = backend.fleet.state()
        telemetry.gauge("iraas_workers", state.in_service, state="in service")
        telemetry.gauge("iraas_workers", state.starting, state="starting")
        depth = await latest.ask()
        telemetry.gauge("iraas_queue_visible", depth.visible)
        telemetry.gauge("iraas_queue_in_flight", depth.in_flight)
        telemetry.gauge("iraas_queue_oldest_seconds", depth.oldest_age)

    async def depth() -> Depth:
        return await latest.lately(backend.sample_seconds, moved_at=pace.moved_at)

    sight = Sight(
        depth=depth,
        accepted=lambda: pace.accepted_ever,
        service_seconds=lambda: math.nan if pace.service_seconds is None else pace.service_seconds,
    )
    background: dict[str, Background] = {
        "dead letters": dead_letters(backend).keep_collecting,
        "pulse": pulse.keep,
        **backend.upkeep(),
        **backend.steering(sight),
    }
    if secret is not None:
        background["api keys"] = partial(secret.keep, keys)
    app = build_app(
        desk=desk,
        pulse=pulse,
        gatekeeper=Gatekeeper(
            keys,
            loopback_only=settings.host in LOOPBACK,
            needs_key=bool(settings.api_keys_secret) and not settings.no_auth,
        ),
        probes={
            "request queue": backend.requests.depth,
            "input store": lambda: backend.inputs.head("readiness-probe"),
            "results store": lambda: backend.results.head("readiness-probe"),
        },
        measure=measure,
        telemetry=telemetry,
        lifespan=lifespan,
        background=background,
    )
    return Web(app, desk, backend)
