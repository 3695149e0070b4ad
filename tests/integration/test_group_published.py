"""Web processes on SQS and S3 that watch and publish for a group: real ones, against the rig's CloudWatch."""

from __future__ import annotations

import hashlib
import math

import httpx2
import pytest
from tests.chaos.crowd import grey
from tests.deployment import Deployment
from tests.integration.rig.miniature import MOST, Miniature
from tests.service import START_SECONDS
from tests.waiting import until

POLICY = """
maximum = 4
[policy]
kind = "staffing"
boot = 2.0
fast = 0.5
slow = 1.0
hold = 2.0
settle = 1.0
"""
PICTURES = 12
ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:keys-AbCdEf"
KEY = "iraas_a-key-for-the-test"


@pytest.fixture
def aws():
    """CloudWatch, Auto Scaling and Secrets Manager."""
    with Miniature() as miniature:
        yield miniature


@pytest.fixture
def deployment(aws, sqs, s3, tmp_path):
    """Queues and buckets, and web processes that know of a group with two workers an instance."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    settings = {**aws.environment, "IRAAS_POLICY": str(policy), "IRAAS_WORKERS_PER_INSTANCE": "2"}
    with Deployment(sqs, s3, tmp_path, settings=settings) as deployment:
        yield deployment


def post(url: str, pictures: int, **headers: str) -> None:
    """Post so many, without waiting for answers."""
    with httpx2.Client(base_url=url, timeout=60, headers=headers) as api:
        for number in range(pictures):
            api.post("/v1/images?wait=0", content=grey(number)).raise_for_status()


def fleet(url: str) -> dict:
    """GET /v1/fleet."""
    answer: dict = httpx2.get(f"{url}/v1/fleet?history=0", timeout=60).raise_for_status().json()
    return answer


def wants(aws: Miniature, stack: str) -> float:
    """Instances, by the newest period; 0 where it has no word."""
    wanted = aws.newest("Wanted", stack, "Maximum")
    return 0 if math.isnan(wanted) else wanted


def test_two_processes_have_a_group_grow_and_shrink_together(aws, deployment, sqs):
    """Both publish what lacks, read each other's arrivals, show instances as workers, and agree on letting go."""
    stack = deployment.stack
    webs = [deployment.start("web"), deployment.start("web")]
    urls = [web.url for web in webs]
    until(lambda: aws.newest("Accepted", stack, "SampleCount") == 2, what="both publish")
    assert math.isnan(aws.newest("Lacking", stack, "Maximum")) or aws.newest("Lacking", stack, "Maximum") == 0

    post(urls[0], PICTURES)

    until(lambda: aws.newest("Lacking", stack, "Minimum") >= 1, what="each says that something lacks")
    assert until(lambda: wants(aws, stack), what="each says how many it wants") <= MOST
    until(lambda: aws.newest("Visible", stack, "Minimum") == PICTURES, what="both see the queue")
    until(
        lambda: sum(many for many in aws.last("Accepted", stack, "Sum", count=600) if many > 0) == PICTURES,
        what="each picture is counted once",
    )
    aws.scale(2)
    until(lambda: fleet(urls[1])["workers"]["in_service"] == 4, what="two instances are four workers")
    seen = fleet(urls[1])
    assert (seen["workers"]["busy"], seen["workers"]["maximum"]) == (0, 2 * MOST)
    assert "staffing" in seen["policy"]
    assert any(event["capacity"] >= 2 for event in seen["decisions"]), seen["decisions"]
    late = deployment.web()
    assert late.until("scaling.decided")["capacity"] == 4, (
        "a process that starts late takes over what there is"
    )
    assert late.stop() == 0

    client = sqs.session().create_client("sqs", region_name=sqs.region, endpoint_url=sqs.endpoint)
    client.purge_queue(QueueUrl=deployment.environment["IRAAS_REQUEST_QUEUE_URL"])
    client.close()
    until(lambda: aws.newest("Lacking", stack, "Maximum") == -2, what="both let both instances go")
    assert aws.asked("GetMetricData") >= 10
    for web in webs:
        assert [line for line in web.events() if line["event"] == "scaling.trouble"] == []
        assert web.stop() == 0


def test_a_process_that_may_nothing_of_it_still_serves(aws, deployment):
    """Without permission to publish and to read it takes pictures, answers, and says once what fails."""
    aws.denied = {"PutMetricData", "GetMetricData"}
    web = deployment.web(IRAAS_APP_GROUP="another-group")
    url = web.url
    until(lambda: aws.asked("PutMetricData") >= 5, what="it goes on trying")

    post(url, 1)

    assert httpx2.get(f"{url}/readyz", timeout=60).status_code == 200
    assert fleet(url)["workers"]["in_service"] == 0
    reasons = [str(line["reason"]) for line in web.events() if line["event"] == "scaling.trouble"]
    for name in ("PutMetricData: AccessDenied", "GetMetricData: AccessDenied", "no group another-group"):
        assert sum(name in reason for reason in reasons) == 1, reasons
    aws.denied = set()
    until(
        lambda: aws.newest("Accepted", deployment.stack, "Sum") >= 0,
        what="it publishes as soon as it may",
    )


def test_keys_of_the_secret_are_asked_for(aws, deployment):
    """A key whose hash stands in the secret is let in, and nobody else."""
    aws.secrets.texts[ARN] = f"ann:{hashlib.sha256(KEY.encode()).hexdigest()}\n"
    web = deployment.web(IRAAS_API_KEYS_SECRET=ARN)

    post(web.url, 1, Authorization=f"Bearer {KEY}")

    assert httpx2.get(f"{web.url}/v1/fleet", timeout=60).status_code == 401
    assert web.until("keys.read")["keys"] == 1


def test_an_empty_secret_lets_nobody_in(aws, deployment):
    """A stack whose keys are still to come is not open to the world."""
    aws.secrets.texts[ARN] = ""
    web = deployment.web(IRAAS_API_KEYS_SECRET=ARN)

    assert httpx2.get(f"{web.url}/v1/fleet", timeout=60).status_code == 401
    assert httpx2.get(f"{web.url}/livez", timeout=60).status_code == 200


@pytest.mark.parametrize(
    ("text", "denied", "named"),
    [
        ("ann", False, "the entry 'ann' is not NAME:sha256"),
        (None, False, "there is no secret"),
        ("", True, "secretsmanager:GetSecretValue"),
    ],
)
def test_a_secret_that_cannot_be_read_ends_the_start(aws, deployment, text, denied, named):
    """Malformed, missing or denied: one line that says so, and exit code 2."""
    if text is not None:
        aws.secrets.texts[ARN] = text
    if denied:
        aws.secrets.denied.add("test")
    web = deployment.start("web", IRAAS_API_KEYS_SECRET=ARN)
    assert web.process.wait(START_SECONDS) == 2
    said = web.log.read_text()
    assert said.startswith("iraas: ")
    assert said.count("\n") == 1
    assert "IRAAS_API_KEYS_SECRET" in said
    assert named in said
