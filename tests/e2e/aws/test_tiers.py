"""Two web processes and three workers on SQS and S3: each client gets its own picture's answer."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from tests.chaos.crowd import Crowd, books_when_quiet, grey, shade
from tests.deployment import Deployment, free_port
from tests.service import WITH_REPLACEMENTS
from tests.waiting import until

PICTURES = 2_000
CLIENTS = 64


@pytest.fixture
def deployment(sqs, s3, tmp_path):
    """Queues and buckets; the workers' model tells pictures apart by their shade."""
    settings = {"IRAAS_TEST_MODEL": "0"}
    with Deployment(sqs, s3, tmp_path, command=WITH_REPLACEMENTS, settings=settings) as deployment:
        yield deployment


async def test_everyone_gets_the_answer_of_their_own_picture(deployment):
    """2,000 pictures by 64 clients at two web processes and three workers: 2,000 answers, and empty queues."""
    webs = [deployment.web() for _ in range(2)]
    deployment.workers(3)
    crowds = [Crowd(web.url, concurrency=CLIENTS // 2) for web in webs]
    shares = [range(0, PICTURES, 2), range(1, PICTURES, 2)]

    await asyncio.gather(*(crowd.post(share) for crowd, share in zip(crowds, shares, strict=True)))

    for crowd, share in zip(crowds, shares, strict=True):
        crowd.check_everyone_was_answered_right(share)
    books = await books_when_quiet(deployment.settings)
    books.check(answer.id for crowd in crowds for answer in crowd.answers.values())
    assert len(books.records) == len(books.inputs) == PICTURES


def test_both_tiers_end_in_order(deployment, sqs):
    """SIGTERM ends an idle web process and an idle worker with exit code 0, and the response queue is gone."""
    web, [worker] = deployment.web(), deployment.workers(1)
    client = sqs.session().create_client("sqs", region_name=sqs.region, endpoint_url=sqs.endpoint)
    prefix = f"{deployment.stack}-responses-"
    [_mine] = client.list_queues(QueueNamePrefix=prefix)["QueueUrls"]

    assert (web.stop(), worker.stop()) == (0, 0)
    assert not client.list_queues(QueueNamePrefix=prefix).get("QueueUrls")
    client.close()


def test_a_lone_worker_gives_its_numbers(deployment):
    """With IRAAS_METRICS_PORT a worker without a web process beside it tells what it did, and what AWS will bill."""
    port = free_port()
    web, worker = deployment.web(), deployment.worker(IRAAS_METRICS_PORT=str(port))
    worker.until("worker.started")
    posted = httpx2.post(f"{web.url}/v1/images?wait=60", content=grey(5), timeout=70)
    assert posted.json()["label"] == f"grey {shade(5)}"

    def counted(name: str) -> float:
        lines = httpx2.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    until(lambda: counted('iraas_jobs_total{outcome="done"}') == 1, what="the job is counted")
    assert counted('iraas_aws_requests_total{operation="ReceiveMessage"}') >= 1
    assert counted('iraas_aws_requests_total{operation="PutObject"}') >= 1
    workers = [
        line
        for line in httpx2.get(f"{web.url}/metrics").text.splitlines()
        if line.startswith("iraas_workers")
    ]
    assert 'iraas_workers{state="in service"} 1.0' in workers
