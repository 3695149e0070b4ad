"""A cloud, clients ── a burst, and what happens to instances meanwhile ──> what came of it, in figures.

From no worker to as many as the policy wants and back to none; every picture is followed to its client.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from iraas.settings import Settings
from tests.chaos.crowd import Books, books_when_quiet
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.rig.clients import Clients
from tests.rig.cloud import Cloud
from tests.rig.photographs import PHOTOGRAPHS, labels
from tests.rig.scenario import MODEL

OUT = Path(__file__).parents[2] / "bench/out/rig.json"
START_SECONDS = 90.0  # until the web tier serves
LOOK_SECONDS = 0.1

Trouble = Callable[[Cloud], Awaitable[None]]


class Outcome(NamedTuple):
    """What a burst came to."""

    answered: int  # clients with an answer
    right: int  # of those, with the right label
    lost: int  # pictures that were accepted and have no answer
    answer_objects: int
    replies: Counter[str]  # sent by workers, by job
    peak: int  # instances in service at once
    end_capacity: int
    seconds_to_peak: float  # real ones, from the first post
    boot_to_answer_s: float  # from the first launch to the first answer
    seconds_to_answers: float
    seconds_to_zero: float
    books: Books

    @property
    def replied_twice(self) -> int:
        """Jobs with more than one reply."""
        return sum(count > 1 for count in self.replies.values())

    @property
    def figures(self) -> dict[str, float]:
        """For bench/out/rig.json."""
        own = {name: value for name, value in self._asdict().items() if name not in ("replies", "books")}
        return {**own, "replied_twice": self.replied_twice}


def write_figures(figures: Mapping[str, object], run: str = "") -> None:
    """Add to bench/out/rig.json: on top, or under the name of a run."""
    known: dict[str, Any] = json.loads(OUT.read_text()) if OUT.exists() else {}
    if run:
        known.setdefault("runs", {})[run] = dict(figures)
    else:
        known.update(figures)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(known, indent=1) + "\n")


async def web_serves(cloud: Cloud) -> None:
    """Return once the balancer has its web instances. Fails with what they said."""
    await when(
        cloud,
        lambda: len(cloud.balancer.healthy()) >= cloud.web.spec.least,
        what="web instances that serve",
        within=START_SECONDS,
    )


async def when(cloud: Cloud, condition: Callable[[], bool], *, what: str, within: float) -> float:
    """Wait for a condition; the real seconds that it took. Fails when it takes longer than `within`."""
    now = asyncio.get_running_loop().time
    begun = now()
    while not condition():
        cloud.check()
        if now() - begun > within:
            raise AssertionError(f"not within {within:.0f} s: {what}\n{said(cloud)}")
        await asyncio.sleep(LOOK_SECONDS)
    return now() - begun


async def burst(
    cloud: Cloud, sqs: Fauxqs, s3: Seaweedfs, count: int, *, patience: float, trouble: Trouble | None = None
) -> Outcome:
    """Post `count` pictures at once to a service without workers, and follow it until there are none again."""
    right = labels(MODEL)
    clients = Clients(cloud.balancer.address, count)
    now = asyncio.get_running_loop().time
    await clients.start()
    begun, peak, peaked = now(), 0, 0.0
    launched = first = math.inf
    making = asyncio.create_task(trouble(cloud)) if trouble else None
    waiting = asyncio.create_task(clients.until_all_have_it())
    try:
        while not waiting.done():
            cloud.check()
            if cloud.app.roster.everyone:
                launched = min(launched, now())
            if clients.answered:
                first = min(first, now())
            serving = len(cloud.app.roster.members("InService"))
            if serving > peak:
                peak, peaked = serving, now() - begun
            if now() - begun > patience:
                raise AssertionError(
                    f"{len(clients.answered)} of {count} after {patience:.0f} s\n{said(cloud)}"
                )
            await asyncio.sleep(LOOK_SECONDS)
        await waiting
        answered = now() - begun
        if making:
            await making
    finally:
        for task in (waiting, making):
            if task and not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    emptied = await when(
        cloud, lambda: not cloud.app.roster.members(), what="no instance of the app tier", within=patience
    )
    books = await books_when_quiet(settings(cloud, sqs, s3))
    accepted = {answer.id for answer in clients.answered}
    return Outcome(
        answered=len(clients.answered),
        right=sum(answer.label == right[answer.number % PHOTOGRAPHS] for answer in clients.answered),
        lost=len((accepted | books.inputs) - set(books.records)),
        answer_objects=len(books.records),
        replies=Counter(reply.record.outcome.id for reply in sqs.replies()),
        peak=peak,
        end_capacity=len(cloud.app.roster.members()),
        seconds_to_peak=round(peaked, 1),
        boot_to_answer_s=round(first - launched, 1),
        seconds_to_answers=round(answered, 1),
        seconds_to_zero=round(answered + emptied, 1),
        books=books,
    )


def settings(cloud: Cloud, sqs: Fauxqs, s3: Seaweedfs) -> Settings:
    """To look into the queue and the stores from outside."""
    return Settings(
        backend="aws",
        request_queue_url=cloud.url_of("RequestQueue"),
        dead_letter_queue_url=cloud.url_of("DeadLetterQueue"),
        input_bucket=cloud.bucket_of["InputBucket"],
        result_bucket=cloud.bucket_of["ResultBucket"],
        region=sqs.region,
        sqs_endpoint=sqs.endpoint,
        s3_endpoint=s3.endpoint,
    )


def said(cloud: Cloud) -> str:
    """What the rig did and its instances said last, for whoever must find out why."""
    parts = [f"{move}" for move in cloud.scaler.moves]
    for group in (cloud.web, cloud.app):
        for member in group.roster.everyone.values():
            parts.append(f"--- {group.spec.name} {member.id} {member.state} {member.left_by}")
            parts.append(cloud.machines.log(member.id)[-2000:])
    return "\n".join(parts)
