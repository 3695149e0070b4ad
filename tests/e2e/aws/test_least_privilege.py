"""Every call that the tiers and an operator make is in the list of docs/aws.md, and every line of it is called."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from contextlib import ExitStack

import httpx2
from tests.aws_page import TIERS, table
from tests.chaos.crowd import grey
from tests.deployment import KEYS, Deployment, Tier
from tests.service import WITH_REPLACEMENTS
from tests.waiting import until

from iraas.testing.proxy import Plan, Proxy, Request
from iraas.web.auth import ANYONE

Call = tuple[str, str, str]  # tier, action, kind of thing

_KINDS = ("requests", "dead-letters", "responses", "inputs", "results")
_LISTING = re.compile(r"^/[^/?]+/?\?.*list-type=2")


class Watched:
    """A tier's ways to SQS and S3, and what went over them."""

    def __init__(self, tier: str, sqs: Proxy, s3: Proxy) -> None:
        self.tier = tier
        self.environment = {"IRAAS_SQS_ENDPOINT": sqs.endpoint, "IRAAS_S3_ENDPOINT": s3.endpoint}
        self._wires = sqs, s3

    def calls(self) -> set[Call]:
        """What was called, of which kind of thing."""
        seen = [request for wire in self._wires for request in wire.requests]
        return {(self.tier, *_call(request)) for request in seen}


def _call(request: Request) -> tuple[str, str]:
    if request.target:
        action = request.target.rpartition(".")[2].removesuffix("Batch")
        return f"sqs:{action}", "*" if action == "ListQueues" else _kind(request.queue)
    bucket = request.path.split("/")[1].partition("?")[0]
    if request.method == "GET" and _LISTING.match(request.path):
        return "s3:ListBucket", _kind(bucket)
    action = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
    return f"s3:{action[request.method]}", f"{_kind(bucket)}/*"


def _kind(name: str) -> str:
    [found] = [kind for kind in _KINDS if f"-{kind}" in name]
    return found


def _listed() -> set[Call]:
    """The page's list, with the kind of thing for each resource."""
    return {(line.tier, line.action, _thing(line.action, line.resource)) for line in table()}


def _thing(action: str, resource: str) -> str:
    if action == "sqs:ListQueues":
        return "*"
    return f"{_kind(resource)}/*" if resource.endswith("/*") else _kind(resource)


def operator(deployment: Deployment, watched: Watched, *arguments: str) -> str:
    """What one of an operator's commands prints."""
    done = subprocess.run(
        [sys.executable, "-m", "iraas", *arguments],
        env={**os.environ, **KEYS, **deployment.environment, **watched.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_the_list_is_what_is_called(sqs, s3, tmp_path):
    """A run in which everything happens once calls exactly what docs/aws.md allows each tier, on these things."""
    settings = {"IRAAS_TEST_MODEL": "0"}
    with ExitStack() as running:
        watched = {
            tier: Watched(
                tier,
                running.enter_context(Proxy(sqs.endpoint, Plan())),
                running.enter_context(Proxy(s3.endpoint, Plan())),
            )
            for tier in TIERS
        }
        deployment = running.enter_context(
            Deployment(sqs, s3, tmp_path, command=WITH_REPLACEMENTS, settings=settings)
        )
        client = sqs.session().create_client("sqs", region_name=sqs.region, endpoint_url=sqs.endpoint)
        running.callback(client.close)
        requests = deployment.environment["IRAAS_REQUEST_QUEUE_URL"]
        dead = deployment.environment["IRAAS_DEAD_LETTER_QUEUE_URL"]

        sqs.create_queue(
            f"{deployment.stack}-responses-abcdefghijkl"
        )  # of a web process that died: swept one day
        web = deployment.web(**watched["web"].environment)
        with httpx2.Client(base_url=web.url, timeout=60) as api:
            condemned, deleted, late = (
                api.post("/v1/images?wait=0", content=grey(number)).raise_for_status().json()["id"]
                for number in range(3)
            )
            for message in client.receive_message(QueueUrl=requests, MaxNumberOfMessages=10)["Messages"]:
                job = json.loads(message["Body"])
                if job["id"] == deleted:
                    continue
                if job["id"] == condemned:  # as the queue itself does after 20 deliveries
                    job["reply_to"] = f"{deployment.stack}-responses-abcdefghijkl"
                    client.send_message(QueueUrl=dead, MessageBody=json.dumps(job))
                client.delete_message(QueueUrl=requests, ReceiptHandle=message["ReceiptHandle"])
            assert api.delete(f"/v1/images/{deleted}").status_code == 204
        _end(web)
        web = deployment.web(**watched["web"].environment)  # collects the dead letter when it starts
        with httpx2.Client(base_url=web.url, timeout=60) as api:
            until(
                lambda: api.get(f"/v1/images/{condemned}").status_code == 500,
                what="the dead letter is answered",
            )
            junk = json.dumps({"id": str(uuid.uuid4()), "owner": ANYONE, "v": 99})
            client.send_message(QueueUrl=requests, MessageBody=junk)
            worker = deployment.worker(**watched["worker"].environment)
            worker.until("worker.started")
            key = {"Idempotency-Key": "a-key-of-sixteen-characters"}
            for _ in range(2):
                assert "label" in api.post("/v1/images?wait=60", content=grey(9), headers=key).json()
            assert condemned in operator(deployment, watched["operator"], "dead-letters", "list")
            assert "sent" in operator(deployment, watched["operator"], "dead-letters", "redrive", condemned)
            assert late in operator(
                deployment, watched["operator"], "audit", "--json", "--resend", "--age", "1s"
            )
            for job_id in (condemned, late):
                found = api.get(f"/v1/images/{job_id}?wait=60")
                assert "label" in found.json(), found.text
        _end(worker)
        _end(web)
        called = set().union(*(watched[tier].calls() for tier in TIERS))

    listed = _listed()
    assert called - listed == set(), "called, and not allowed by the page"
    assert listed - called == set(), "allowed by the page, and never called"


def _end(tier: Tier) -> None:
    assert tier.stop() == 0
