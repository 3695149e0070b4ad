"""The AWS backend on stand-ins for SQS and S3, beside the embedded one: CPU, requests, memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from bench.contender import Round
from bench.folders import DATA
from bench.load import load
from bench.served import Served
from bench.session import Session
from bench.side_by_side import WARM_UP_SECONDS
from bench.spread import Spread
from bench.tiers import Tiers, embedded, of_sqs, on_aws

CONCURRENCY = 32
BACKLOG = 1_000  # jobs that wait when the workers begin
POSTERS = 32  # clients that fill it
RSS_PICTURES = 20_000
RSS_LOOKS = 40  # at the memory, in that time
DRAIN_SECONDS = 300.0
NAMES = (
    "core_ms_over_embedded_backlog",
    "core_ms_over_embedded_c32",
    "sqs_requests_per_1000_backlog",
    "sqs_requests_per_1000_c32",
    "rss_drift",
)


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return 2 + 4 * _rounds(quick) + 1


def measure(session: Session) -> None:
    """Put the figures of `NAMES`, and what they are made of."""
    with on_aws(session, DATA / "aws") as aws, embedded() as here:
        backlog: dict[str, list[Round]] = {"aws": [], "embedded": []}
        asking: dict[str, list[Round]] = {"aws": [], "embedded": []}
        asked_backlog: list[dict[str, float]] = []
        asked_c32: list[dict[str, float]] = []
        session.step("warming up")
        for tiers in (aws, here):
            load(tiers.url, session.pictures.load, seconds=WARM_UP_SECONDS, connections=CONCURRENCY)
        for number in range(_rounds(session.quick)):
            for tiers in (aws, here) if number % 2 else (here, aws):
                session.step(f"{tiers.name}: a backlog of {BACKLOG}, round {number + 1}")
                before = tiers.requests()
                done = _work_off(session, tiers)
                backlog[tiers.name].append(done)
                if tiers is aws:
                    asked_backlog.append(_per_1000(before, tiers.requests(), done.images))
            for tiers in (aws, here) if number % 2 else (here, aws):
                session.step(f"{tiers.name}: {CONCURRENCY} at a time, round {number + 1}")
                before = tiers.requests()
                served = Served(tiers.name, tiers.url, session.pictures.load, tiers.parts)
                done = served.run(seconds=1.5 if session.quick else 6.0, concurrency=CONCURRENCY)
                asking[tiers.name].append(done)
                if tiers is aws:
                    asked_c32.append(_per_1000(before, tiers.requests(), done.images))
        _put(session, "backlog", backlog, asked_backlog)
        _put(session, "c32", asking, asked_c32)
        session.step("memory of a worker")
        session.put("rss_drift", _drift(session, aws))


def _work_off(session: Session, tiers: Tiers) -> Round:
    """Twice `BACKLOG` pictures, half of them posted before the workers begin; until all are answered."""
    pngs = [path.read_bytes() for path in sorted(session.pictures.load.iterdir())]
    count = 2 * (BACKLOG // 10 if session.quick else BACKLOG)
    before, begun = tiers.parts(), time.monotonic()
    for worker in tiers.workers:
        worker.suspend()
    places = _post(tiers.url, pngs, count // 2)
    for worker in tiers.workers:
        worker.resume()
    places += _post(tiers.url, pngs, count - count // 2)
    _until_answered(tiers, places)
    after = tiers.parts()
    parts = {name: after[name] - before[name] for name in after}
    return Round(count, time.monotonic() - begun, parts, latencies_ms=[])


def _post(url: str, pngs: list[bytes], count: int) -> list[str]:
    """Post and do not wait; where each answer will be."""
    with httpx2.Client(timeout=60) as client, ThreadPoolExecutor(POSTERS) as posting:

        def post(number: int) -> str:
            answer = client.post(url, params={"wait": 0}, content=pngs[number % len(pngs)])
            answer.raise_for_status()
            return str(answer.json()["id"])

        return list(posting.map(post, range(count)))


def _until_answered(tiers: Tiers, places: list[str]) -> None:
    """Wait for the last answer; asks for few, so that asking costs little."""
    deadline = time.monotonic() + DRAIN_SECONDS
    with httpx2.Client(timeout=60) as client:
        for place in places[:: max(1, len(places) // 20)] + places[-20:]:
            while client.get(f"{tiers.url}/{place}", params={"wait": 30}).status_code != 200:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{tiers.name}: {place} was not answered")


def _put(session: Session, name: str, rounds: dict[str, list[Round]], asked: list[dict[str, float]]) -> None:
    def each(tiers: str, value: Callable[[Round], float]) -> Spread:
        return Spread.of(value(one) for one in rounds[tiers])

    over = (one.core_ms - other.core_ms for one, other in zip(rounds["aws"], rounds["embedded"], strict=True))
    session.put(f"core_ms_over_embedded_{name}", Spread.of(over))
    session.put(f"sqs_requests_per_1000_{name}", Spread.of(of_sqs(counts) for counts in asked))
    for operation in sorted(asked[0]):
        counts = Spread.of(counted[operation] for counted in asked)
        if counts.high >= 1:
            session.put(f"aws_{name}_{operation}_per_1000", counts)
    for tiers in rounds:
        session.put(f"{tiers}_{name}_core_ms", each(tiers, lambda one: one.core_ms))
        session.put(f"{tiers}_{name}_web_core_ms", each(tiers, lambda one: one.part_ms("web")))
        session.put(f"{tiers}_{name}_workers_core_ms", each(tiers, lambda one: one.part_ms("workers")))
        session.put(f"{tiers}_{name}_images_per_second", each(tiers, lambda one: one.images_per_second))


def _per_1000(before: dict[str, float], after: dict[str, float], images: int) -> dict[str, float]:
    """Requests for 1,000 pictures, by operation."""
    return {operation: 1000 * (after[operation] - before.get(operation, 0.0)) / images for operation in after}


def _drift(session: Session, tiers: Tiers) -> float:
    """How much more memory a worker has in the last quarter than in the second: 0.01 is one per cent."""
    small: Path = session.pictures.small  # the stand-in for S3 need not hold 6 GB
    looks: list[float] = []
    step = (RSS_PICTURES if not session.quick else 1_000) // RSS_LOOKS
    for _ in range(RSS_LOOKS):
        done = 0
        while done < step:
            done += len(load(tiers.url, small, seconds=1.0, connections=CONCURRENCY).answers)
        looks.append(tiers.worker_mb())
    quarter = RSS_LOOKS // 4
    second, last = looks[quarter : 2 * quarter], looks[-quarter:]
    session.put("rss_worker_mb", sum(last) / quarter)
    return (sum(last) / quarter) / (sum(second) / quarter) - 1


def _rounds(quick: bool) -> int:
    return 1 if quick else 5
