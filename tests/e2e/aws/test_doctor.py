"""`iraas doctor` with the aws backend looks at the queues and buckets, and leaves nothing in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.deployment import KEYS, Deployment


@pytest.fixture
def deployment(sqs, s3, tmp_path):
    """Queues and buckets that are in order."""
    with Deployment(sqs, s3, tmp_path) as deployment:
        yield deployment


def findings(deployment: Deployment, **environment: str) -> dict[str, dict[str, object]]:
    """What it says, by what it looked at."""
    done = subprocess.run(
        [sys.executable, "-m", "iraas", "doctor", "--json"],
        env={**os.environ, **KEYS, **deployment.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {finding["name"]: finding for finding in json.loads(done.stdout)}


def test_queues_and_buckets_are_looked_at_and_left_alone(deployment, sqs):
    """What is in order is said so; no probe is sent to the queue that real jobs are in."""
    found = findings(deployment)

    assert found["queues and buckets"]["ok"]
    assert not {"queue", "data folder"} & found.keys()
    client = sqs.session().create_client("sqs", region_name=sqs.region, endpoint_url=sqs.endpoint)
    url = deployment.environment["IRAAS_REQUEST_QUEUE_URL"]
    assert "Messages" not in client.receive_message(QueueUrl=url)
    client.close()


def test_what_is_missing_is_named(deployment):
    """A bucket that is not there is named, with its setting."""
    found = findings(deployment, IRAAS_RESULT_BUCKET="not-there-at-all")

    assert not found["queues and buckets"]["ok"]
    assert "IRAAS_RESULT_BUCKET" in str(found["queues and buckets"]["found"])
