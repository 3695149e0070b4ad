"""SQS, S3 or both are cut off for 30 seconds: who asks is told, nothing accepted is lost, and all comes back."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from tests.chaos.crowd import Crowd, books_when_quiet, grey
from tests.deployment import Deployment
from tests.service import WITH_REPLACEMENTS
from tests.waiting import until

from iraas.testing.proxy import Plan, Proxy

OUTAGE_SECONDS = 30.0
SAID_WITHIN_SECONDS = 10.0
BACK_WITHIN_SECONDS = 30.0


class Cut:
    """A deployment behind wires that can be cut, and what was seen of it."""

    def __init__(self, deployment: Deployment, wires: list[Proxy], url: str) -> None:
        self.deployment = deployment
        self.url = url
        self._wires = wires
        self._client = httpx2.Client(base_url=url, timeout=60)

    def ready(self) -> int:
        """What `/readyz` says."""
        return self._client.get("/readyz").status_code

    async def happen(self) -> None:
        """Accept some, cut, be refused, mend, be answered."""
        before = Crowd(self.url)
        waiting = asyncio.create_task(before.post(range(40)))
        await before.until(10)
        for wire in self._wires:
            await asyncio.to_thread(wire.cut)
        cut_at = time.monotonic()
        await asyncio.to_thread(
            until, lambda: self.ready() == 503, what="not ready", within=SAID_WITHIN_SECONDS
        )
        refused = await asyncio.to_thread(self._client.post, "/v1/images?wait=0", content=grey(1))
        assert refused.status_code == 503, refused.text
        assert refused.json()["type"].endswith("backend-unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert self._client.get("/livez").status_code == 200

        await asyncio.sleep(max(0.0, OUTAGE_SECONDS - (time.monotonic() - cut_at)))
        for wire in self._wires:
            await asyncio.to_thread(wire.mend)
        after = Crowd(self.url)
        await asyncio.to_thread(
            until, lambda: self.ready() == 200, what="ready again", within=BACK_WITHIN_SECONDS
        )
        async with asyncio.timeout(BACK_WITHIN_SECONDS):
            await after.post(range(100, 110))
        await waiting
        before.check_everyone_was_answered_right(range(40))
        after.check_everyone_was_answered_right(range(100, 110))
        books = await books_when_quiet(self.deployment.settings, refused=1)
        accepted = [answer.id for crowd in (before, after) for answer in crowd.answers.values()]
        books.check(accepted, refused=1)
        self._client.close()


@pytest.mark.timeout(600)
async def test_an_outage_is_said_and_survived(sqs, s3, tmp_path):
    """Three services at once: one loses SQS, one S3, one both. Each says so, loses nothing, and recovers."""
    with (
        Proxy(sqs.endpoint, Plan()) as no_sqs,
        Proxy(s3.endpoint, Plan()) as no_s3,
        Proxy(sqs.endpoint, Plan()) as neither_sqs,
        Proxy(s3.endpoint, Plan()) as neither_s3,
        ThreadPoolExecutor() as starting,
    ):
        deployments = [
            Deployment(
                sqs,
                s3,
                tmp_path,
                sqs_endpoint=sqs_wire.endpoint if sqs_wire else "",
                s3_endpoint=s3_wire.endpoint if s3_wire else "",
                command=WITH_REPLACEMENTS,
                settings={"IRAAS_TEST_MODEL": "0.01"},
            )
            for sqs_wire, s3_wire in ((no_sqs, None), (None, no_s3), (neither_sqs, neither_s3))
        ]
        wires = [[no_sqs], [no_s3], [neither_sqs, neither_s3]]
        with deployments[0], deployments[1], deployments[2]:
            webs = list(starting.map(lambda deployment: deployment.web(), deployments))
            list(starting.map(lambda deployment: deployment.workers(1), deployments))
            cuts = [
                Cut(deployment, cut, web.url)
                for deployment, cut, web in zip(deployments, wires, webs, strict=True)
            ]
            await asyncio.gather(*(cut.happen() for cut in cuts))
            for tier in [tier for deployment in deployments for tier in deployment.tiers]:
                assert tier.process.poll() is None, "it was restarted"
