"""Messages that are not as they should be reach the dead-letter queue or are refused, and hurt nobody."""

from __future__ import annotations

import json
import uuid

import httpx2
import pytest
from tests.chaos.crowd import grey, shade
from tests.deployment import Deployment
from tests.service import WITH_REPLACEMENTS
from tests.waiting import until

from iraas.web.auth import ANYONE

JOB = {"id": "", "owner": ANYONE, "reply_to": "", "accepted_at": 1.0, "v": 1}


@pytest.fixture(scope="module")
def deployment(sqs, s3, tmp_path_factory):
    """A web process and a worker."""
    folder = tmp_path_factory.mktemp("messages")
    settings = {"IRAAS_TEST_MODEL": "0"}
    with Deployment(sqs, s3, folder, command=WITH_REPLACEMENTS, settings=settings) as deployment:
        deployment.web()
        deployment.workers(1)
        yield deployment


@pytest.fixture
def api(deployment):
    """The web process."""
    with httpx2.Client(base_url=deployment.tiers[0].url, timeout=60) as client:
        yield client


@pytest.fixture
def client(sqs):
    """SQS as an operator sees it."""
    client = sqs.session().create_client("sqs", region_name=sqs.region, endpoint_url=sqs.endpoint)
    yield client
    client.close()


def waiting(client, url: str) -> int:
    """Messages in a queue, visible or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(value) for value in found.values())


def test_what_is_not_ours_goes_to_the_dead_letter_queue(deployment, client, api):
    """Junk, a truncated job and one of a later version are set aside as they are; the next picture is answered."""
    job = json.dumps({**JOB, "id": str(uuid.uuid4())})
    strangers = ["junk", job[:-20], json.dumps({**JOB, "id": str(uuid.uuid4()), "v": 99})]
    requests, dead = (
        deployment.environment[f"IRAAS_{name}_QUEUE_URL"] for name in ("REQUEST", "DEAD_LETTER")
    )
    for stranger in strangers:
        client.send_message(QueueUrl=requests, MessageBody=stranger)

    posted = api.post("/v1/images", content=grey(7))

    assert posted.json()["label"] == f"grey {shade(7)}"
    until(lambda: waiting(client, requests) == 0, what="the request queue is empty")
    until(lambda: waiting(client, dead) == len(strangers), what="they are in the dead-letter queue")
    found = client.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=0)["Messages"]
    assert sorted(message["Body"] for message in found) == sorted(strangers)
    client.purge_queue(QueueUrl=dead)


def test_a_picture_that_is_gone_is_input_expired(deployment, client, api):
    """A job whose object a lifecycle rule took is answered so."""
    lost = str(uuid.uuid4())
    client.send_message(
        QueueUrl=deployment.environment["IRAAS_REQUEST_QUEUE_URL"],
        MessageBody=json.dumps({**JOB, "id": lost}),
    )
    found = until(
        lambda: (answer := api.get(f"/v1/images/{lost}")).status_code == 410 and answer, what="it is answered"
    )
    assert found.json()["type"].endswith("input-expired")


def test_a_reply_goes_to_no_strange_queue(deployment, client, sqs):
    """A job with somebody else's queue in `reply_to` is answered in the store, and that queue stays empty."""
    strange = sqs.create_queue(f"{deployment.stack}-strange")
    client.send_message(
        QueueUrl=deployment.environment["IRAAS_REQUEST_QUEUE_URL"],
        MessageBody=json.dumps({**JOB, "id": str(uuid.uuid4()), "reply_to": f"{deployment.stack}-strange"}),
    )
    until(
        lambda: waiting(client, deployment.environment["IRAAS_REQUEST_QUEUE_URL"]) == 0, what="it is finished"
    )
    assert waiting(client, strange) == 0


def test_only_who_waits_has_a_reply(deployment, client, sqs, s3, tmp_path):
    """A job that nobody waits for names no response queue, but for one in sixteen; one that somebody waits for does."""
    with Deployment(sqs, s3, tmp_path, command=WITH_REPLACEMENTS) as alone:
        with httpx2.Client(base_url=alone.web().url, timeout=60) as api:
            for number in range(16):
                assert api.post("/v1/images?wait=0", content=grey(number)).status_code == 202
            assert api.post("/v1/images?wait=0.1", content=grey(16)).status_code == 202
        url = alone.environment["IRAAS_REQUEST_QUEUE_URL"]
        jobs = [
            json.loads(message["Body"])
            for _ in range(2)
            for message in client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
        ]

    assert len(jobs) == 17
    assert sum(bool(job["reply_to"]) for job in jobs) == 2


def test_a_response_queue_that_vanished_is_made_again(deployment, client, api):
    """Somebody removes the web process's queue: pictures are answered meanwhile, and soon as fast as before."""
    prefix = f"{deployment.stack}-responses-"
    [url] = client.list_queues(QueueNamePrefix=prefix)["QueueUrls"]
    client.delete_queue(QueueUrl=url)

    assert api.post("/v1/images", content=grey(8)).json()["label"] == f"grey {shade(8)}"
    deployment.tiers[0].until("replies.vanished")
    [new] = until(
        lambda: client.list_queues(QueueNamePrefix=prefix).get("QueueUrls"), what="there is a new queue"
    )
    assert new != url
    assert api.post("/v1/images", content=grey(9)).json()["label"] == f"grey {shade(9)}"
