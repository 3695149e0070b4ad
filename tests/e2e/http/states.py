"""What a running service is doing, as its own metrics and processes say it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from tests.service import Service
from tests.waiting import until

ANSWER_SECONDS = 90.0  # a client's patience: beyond the longest wait that the service grants


def client_of(service: Service, **options: object) -> httpx2.Client:
    """A client whose paths begin at the service."""
    return httpx2.Client(base_url=service.url, timeout=ANSWER_SECONDS, trust_env=False, **options)


def metrics(client: httpx2.Client) -> dict[str, float]:
    """/metrics: `name` or `name{label="value"}` -> value."""
    lines = client.get("/metrics").raise_for_status().text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def settled(client: httpx2.Client) -> None:
    """Wait until nothing is queued, nothing is worked on, and no body is in memory."""
    names = ("iraas_queue_visible", "iraas_queue_in_flight", "iraas_body_bytes")
    until(lambda: not any(metrics(client)[name] for name in names), what="the service settles")


@contextmanager
def resting(service: Service, client: httpx2.Client) -> Iterator[None]:
    """No worker works within this block; jobs wait in the queue."""
    settled(client)  # a worker that was stopped within the queue's gate would keep the web process out
    workers = service.processes("worker")
    for worker in workers:
        worker.suspend()
    try:
        yield
    finally:
        for worker in workers:
            worker.resume()


def unforeseen(service: Service) -> list[str]:
    """What the service logged as an error, and tracebacks; a decoder's own grumbling about damage is neither."""
    lines = service.log.read_text().splitlines()
    return [
        line
        for line in lines
        if "Traceback" in line or (line.startswith("{") and json.loads(line)["level"] == "error")
    ]


def family(service: Service) -> set[int]:
    """The processes that must not die: supervisor, web, workers."""
    return {service.supervisor.pid} | {
        process.pid for word in ("web", "worker") for process in service.processes(word)
    }
