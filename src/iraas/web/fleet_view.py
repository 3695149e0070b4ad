"""depth, fleet, pace -> FleetView: what /v1/fleet says, number by number; what is not known is null."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from iraas.fleet.port import FleetEvent, FleetReport, FleetState
from iraas.queues.port import Depth
from iraas.web.pace import Latency


class QueueView(msgspec.Struct, frozen=True):
    """The request queue."""

    visible: int  # jobs that wait for a worker
    in_flight: int  # jobs that a worker holds
    oldest_seconds: float | None


class WorkersView(msgspec.Struct, frozen=True):
    """The workers, by what they do. Busy and idle ones are in service."""

    in_service: int
    starting: int
    busy: int
    idle: int
    draining: int
    minimum: int | None
    maximum: int | None


class LatencyView(msgspec.Struct, frozen=True):
    """Milliseconds from a request's last byte to its answer, over the last ten seconds."""

    p50: float | None
    p95: float | None


class HistoryPoint(msgspec.Struct, frozen=True):
    """How it was at one moment of the last ten minutes."""

    at: float  # seconds since 1970
    visible: int
    in_flight: int
    in_service: int
    starting: int
    pictures_per_second: float  # over the two seconds before
    p95_ms: float | None


class FleetView(msgspec.Struct, frozen=True):
    """The fleet at one moment."""

    at: float  # seconds since 1970
    queue: QueueView
    workers: WorkersView
    pictures_per_second: float  # over the last ten seconds
    latency_ms: LatencyView
    service_ms: float | None  # that one picture keeps one worker busy
    boot_seconds: float | None  # from the start of a worker until it takes jobs
    policy: str | None
    decisions: list[FleetEvent]  # the newest first
    history: list[HistoryPoint] | msgspec.UnsetType = msgspec.UNSET  # the oldest first


def fleet_view(
    at: float,
    *,
    depth: Depth,
    state: FleetState,
    report: FleetReport,
    rate: float,
    latency: Latency,
    service_seconds: float | None,
    history: Iterable[HistoryPoint] | None,
) -> FleetView:
    """Everything in its place; without `history` it is left out."""
    service = known(report.service_seconds)
    service = known(service_seconds) if service is None else service
    return FleetView(
        at=round(at, 3),
        queue=QueueView(depth.visible, depth.in_flight, tenths(depth.oldest_age)),
        workers=WorkersView(
            in_service=state.in_service,
            starting=state.starting,
            busy=state.busy,
            idle=max(0, state.in_service - state.busy),
            draining=state.draining,
            minimum=report.minimum,
            maximum=report.maximum,
        ),
        pictures_per_second=round(rate, 2),
        latency_ms=LatencyView(tenths(latency.p50), tenths(latency.p95)),
        service_ms=None if service is None else round(1000 * service, 2),
        boot_seconds=tenths(report.boot_seconds),
        policy=report.policy,
        decisions=list(report.events),
        history=msgspec.UNSET if history is None else list(history),
    )


def history_point(
    at: float, *, depth: Depth, state: FleetState, rate: float, p95_ms: float | None
) -> HistoryPoint:
    """One moment, to be remembered."""
    return HistoryPoint(
        at=round(at, 3),
        visible=depth.visible,
        in_flight=depth.in_flight,
        in_service=state.in_service,
        starting=state.starting,
        pictures_per_second=round(rate, 2),
        p95_ms=tenths(p95_ms),
    )


def known(value: float | None) -> float | None:
    """The value, or None for what is no number: JSON has no NaN."""
    return value if value is not None and math.isfinite(value) else None


def tenths(value: float | None) -> float | None:
    """To one decimal; None for what is not known."""
    return None if known(value) is None or value is None else round(value, 1)
