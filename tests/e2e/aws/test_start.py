"""A tier that cannot work says in one line what is missing and how to mend it, and exits with 2."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from tests.deployment import Deployment
from tests.service import START_SECONDS

NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


@pytest.fixture(scope="module")
def deployment(sqs, s3, tmp_path_factory):
    """Queues and buckets that are in order."""
    with Deployment(sqs, s3, tmp_path_factory.mktemp("start")) as deployment:
        yield deployment


def complaint(deployment: Deployment, role: str, **environment: str) -> str:
    """What a tier that must not start says; one line, no traceback, exit code 2."""
    tier = deployment.start(role, **environment)
    code = tier.process.wait(START_SECONDS)
    said = tier.log.read_text()
    assert code == 2, said
    assert said.count("\n") == 1, said
    assert said.startswith("iraas: ")
    assert "Traceback" not in said
    assert "testsecret" not in said
    return said


WRONG = {
    "missing queue": ({"IRAAS_REQUEST_QUEUE_URL": "{sqs}/000000000000/not-there"}, "IRAAS_REQUEST_QUEUE_URL"),
    "missing dead-letter queue": (
        {"IRAAS_DEAD_LETTER_QUEUE_URL": "{sqs}/000000000000/not-there"},
        "IRAAS_DEAD_LETTER_QUEUE_URL",
    ),
    "missing input bucket": ({"IRAAS_INPUT_BUCKET": "not-there-at-all"}, "IRAAS_INPUT_BUCKET"),
    "missing result bucket": ({"IRAAS_RESULT_BUCKET": "not-there-at-all"}, "IRAAS_RESULT_BUCKET"),
    "another region": (
        {"IRAAS_REQUEST_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/requests"},
        "eu-west-1",
    ),
    "no region": ({"IRAAS_REGION": "", "HOME": "/nonexistent"}, "IRAAS_REGION"),
    "region in the SDK's variable": (
        {"IRAAS_REGION": "", "AWS_REGION": "eu-west-1", "IRAAS_INPUT_BUCKET": "not-there-at-all"},
        "eu-west-1",
    ),
    "no queue URL": ({"IRAAS_REQUEST_QUEUE_URL": "requests"}, "IRAAS_REQUEST_QUEUE_URL"),
    "nothing set": ({"IRAAS_INPUT_BUCKET": ""}, "IRAAS_INPUT_BUCKET"),
    "SQS out of reach": ({"IRAAS_SQS_ENDPOINT": NOWHERE}, NOWHERE),
    "S3 out of reach": ({"IRAAS_S3_ENDPOINT": NOWHERE}, NOWHERE),
    "wrong secret": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "IRAAS_INPUT_BUCKET"),
    "no credentials": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nonexistent"},
        "credentials",
    ),
}

OF_WEB = (
    "missing queue",
    "missing result bucket",
    "nothing set",
)  # the check is the same, and a start takes seconds


@pytest.mark.parametrize(
    ("role", "case"), [("worker", case) for case in WRONG] + [("web", case) for case in OF_WEB]
)
def test_what_is_wrong_is_named(deployment, sqs, role, case):
    """A queue, bucket, address or credential that does not do is named, with the mend."""
    environment, named = WRONG[case]
    filled = {name: value.format(sqs=sqs.endpoint) for name, value in environment.items()}

    assert named in complaint(deployment, role, **filled)


def test_a_metrics_port_that_is_taken_is_named(deployment):
    """A worker whose port for numbers is somebody else's says which setting to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "IRAAS_METRICS_PORT" in complaint(
            deployment, "worker", IRAAS_METRICS_PORT=str(taken.getsockname()[1])
        )


def test_help_says_what_is_needed(deployment):
    """`--help` of both tiers names the settings without which they cannot start on AWS."""
    for role in ("web", "worker"):
        said = subprocess.run(
            [sys.executable, "-m", "iraas", role, "--help"], capture_output=True, text=True, check=True
        ).stdout
        for name in (
            "IRAAS_BACKEND",
            "REQUEST_QUEUE_URL",
            "DEAD_LETTER_QUEUE_URL",
            "INPUT_BUCKET",
            "RESULT_BUCKET",
        ):
            assert name in said
