"""Every metric and every log event, in one table each. What is not in a table cannot be counted or logged.

With `PROMETHEUS_MULTIPROC_DIR` in the environment (`iraas up` sets it) the processes of one machine write
their numbers to files there, and the web tier's /metrics adds them up: workers need no port of their own.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Literal, NamedTuple, TypeVar

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

from iraas.errors import ConfigurationError

SLOT = "IRAAS_METRICS_SLOT"  # of a worker, by its supervisor: no setting
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metric(NamedTuple):
    """A row of the table: what a metric is called, what it counts, and in which unit."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric("iraas_requests_total", "counter", "HTTP requests answered by the web tier", ("route", "status")),
    Metric("iraas_problems_total", "counter", "Refusals and failures sent to clients", ("slug",)),
    Metric("iraas_images_accepted_total", "counter", "Images that were stored and queued"),
    Metric("iraas_answer_seconds", "histogram", "From a request's last byte to its answer's first"),
    Metric("iraas_answers_found_total", "counter", "How a waiting request got its answer", ("by",)),
    Metric("iraas_body_bytes", "gauge", "Bytes of request bodies in memory"),
    Metric("iraas_queue_visible", "gauge", "Jobs that wait for a worker"),
    Metric("iraas_queue_in_flight", "gauge", "Jobs that a worker holds"),
    Metric("iraas_queue_oldest_seconds", "gauge", "Age of the oldest job that is not answered"),
    Metric("iraas_workers", "gauge", "Worker processes", ("state",)),
    Metric("iraas_worker_held", "gauge", "Jobs that this worker holds; there once it takes jobs"),
    Metric("iraas_store_bytes", "gauge", "Bytes of disk that the embedded stores take"),
    Metric("iraas_jobs_total", "counter", "Jobs that workers ended", ("outcome",)),
    Metric("iraas_redeliveries_total", "counter", "Jobs that came to a worker a second time or later"),
    Metric("iraas_quarantine_deaths_total", "counter", "Quarantine children that died or overran on a job"),
    Metric("iraas_malformed_messages_total", "counter", "Messages that were not ours", ("queue",)),
    Metric("iraas_decode_seconds", "histogram", "Bytes to pixels, for one picture"),
    Metric("iraas_infer_seconds", "histogram", "Pixels to probabilities, for one picture"),
    Metric("iraas_batch_pictures", "histogram", "Pictures finished together"),
    Metric(
        "iraas_backend_retries_total", "counter", "Calls repeated because queue or store failed", ("call",)
    ),
    Metric("iraas_aws_requests_total", "counter", "Requests to AWS, as they are billed", ("operation",)),
    Metric("iraas_resent_total", "counter", "Inputs without an answer that were queued again"),
    Metric("iraas_retention_removed_total", "counter", "Objects removed by age or for room", ("what",)),
)

LOG_EVENTS = {
    "web.started": "The web process listens",
    "web.stopped": "The web process has answered what it held and ends",
    "web.failed": "A request ended in an error that nobody foresaw",
    "web.refused": "A request was answered with a problem (debug)",
    "worker.started": "A worker has its model loaded and takes jobs",
    "worker.draining": "A worker finishes what it holds and takes nothing new",
    "worker.stopped": "A worker has ended in order",
    "worker.backend": "Queue or store failed; the worker waits and tries again",
    "worker.malformed": "A message that is not ours was set aside",
    "worker.failed": "A picture failed in a way that nobody foresaw; it goes to quarantine",
    "quarantine.death": "A quarantine child died or overran on a job",
    "quarantine.condemned": "A job was answered classifier-crashed",
    "child.started": "The supervisor started a process",
    "child.died": "A process ended without being asked to",
    "supervisor.stopping": "Everything is being ended in order",
    "scaling.decided": "There shall be another number of workers, and why",
    "scaling.trouble": "The fleet is not as it should be: a worker cannot start, or the queue cannot be asked",
    "instance.started": "An instance looks after its services",
    "instance.protected": "An instance is protected from scale-in, or no longer",
    "instance.warned": "EC2 recommends to replace an instance: its protection from scale-in is given up",
    "instance.leaving": "An instance is to end, and why; its services finish what they hold",
    "instance.left": "An instance's services have left, or had no time left; its hook is completed",
    "instance.trouble": "Metadata, Auto Scaling or a service could not be asked; it is tried again",
    "keys.read": "The API keys of the secret were read",
    "replies.vanished": "The web process's response queue was removed by somebody; it makes a new one",
    "background.failed": "A background task failed and will be tried again",
    "dead_letter.collected": "A job came out of the dead-letter queue and was answered",
    "resend.sent": "Inputs without an answer were queued again",
    "retention.swept": "Old objects and messages were removed",
}

_LATE = frozenset(
    {"iraas_worker_held"}
)  # shown from their first value on: not by a process that is no worker
_BUCKETS = {"iraas_batch_pictures": (1.0, 2.0, 4.0, 8.0, 16.0)}
_Kind = TypeVar("_Kind", Counter, Gauge, Histogram)


class Telemetry:
    """The metrics of one process; names and labels as in `METRICS`, a wrong one raises `KeyError`."""

    def __init__(self) -> None:
        slot = os.environ.get(SLOT)
        if slot is not None and "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            # Files by slot and not by process id: workers come and go, and each would leave its files for ever.
            values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._late = set(_LATE)
        self._metrics = {metric.name: self._build(metric) for metric in METRICS}

    def _build(self, metric: Metric) -> Counter | Gauge | Histogram:
        if metric.kind == "counter":
            return Counter(metric.name, metric.help, metric.labels, registry=self._registry)
        if metric.kind == "gauge":
            return Gauge(
                metric.name,
                metric.help,
                metric.labels,
                registry=None if metric.name in self._late else self._registry,
                multiprocess_mode="livemostrecent",
            )
        return Histogram(
            metric.name,
            metric.help,
            metric.labels,
            registry=self._registry,
            buckets=_BUCKETS.get(metric.name, _SECONDS),
        )

    def _named(self, kind: type[_Kind], name: str, labels: dict[str, str]) -> _Kind:
        metric = self._metrics[name]
        found = metric.labels(**labels) if labels else metric
        assert isinstance(found, kind), f"{name} is no {kind.__name__}"
        return found

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        self._named(Counter, name, labels).inc(amount)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        gauge = self._named(Gauge, name, labels)
        gauge.set(value)
        if name in self._late:
            self._late.discard(name)
            self._registry.register(gauge)

    def observe(self, name: str, value: float) -> None:
        """Add one value to a histogram."""
        self._named(Histogram, name, {}).observe(value)

    def exposition(self) -> bytes:
        """Prometheus' text format: this process, or all of this machine when they share a folder."""
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if folder is None:
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone, path=folder)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)

    def serve(self, port: int) -> None:
        """Give the numbers to who asks 127.0.0.1:`port`, in a thread. Raises `ConfigurationError`."""
        try:
            start_http_server(port, addr="127.0.0.1", registry=self._registry)
        except OSError as error:
            raise ConfigurationError(
                f"cannot serve metrics on port {port}: {error.strerror}; choose another IRAAS_METRICS_PORT"
            ) from error


class Log:
    """A structured log whose events are those of `LOG_EVENTS`."""

    def __init__(self, **fields: object) -> None:
        self._logger = structlog.get_logger().bind(**fields)

    def __call__(self, event: str, *, level: str = "info", **fields: object) -> None:
        """Write one event. Raises `KeyError` for one that the table does not know."""
        LOG_EVENTS[event]
        getattr(self._logger, level)(event, **fields)


def configure_logging(level: str, form: str) -> None:
    """Send the log to standard error: JSON lines, or coloured text on a terminal. Call once a process."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer = structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
