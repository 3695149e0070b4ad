"""The wires to SQS and S3 are bad: a tenth of the requests is refused, lost, answered in vain, cut, or late."""

from __future__ import annotations

import pytest
from tests.chaos.crowd import Crowd, books_when_quiet
from tests.deployment import Deployment
from tests.service import WITH_REPLACEMENTS

from iraas.testing.proxy import FAULTS, Plan, Proxy

PICTURES = 300
RATE = 0.1


@pytest.mark.timeout(400)
async def test_a_bad_wire_costs_time_and_nothing_else(sqs, s3, tmp_path):
    """300 pictures over wires with every kind of fault: each client has its answer, and one is stored for each."""
    with (
        Proxy(sqs.endpoint, Plan(seed=1)) as to_sqs,
        Proxy(s3.endpoint, Plan(seed=2)) as to_s3,
        Deployment(
            sqs,
            s3,
            tmp_path,
            sqs_endpoint=to_sqs.endpoint,
            s3_endpoint=to_s3.endpoint,
            command=WITH_REPLACEMENTS,
            settings={"IRAAS_TEST_MODEL": "0.005"},
        ) as deployment,
    ):
        web = deployment.web()
        deployment.workers(2)
        for wire in (to_sqs, to_s3):
            wire.plan.rate = RATE
        crowd = Crowd(web.url)

        await crowd.post(range(PICTURES))

        for wire in (to_sqs, to_s3):
            wire.plan.rate = 0.0
        assert all(len(wire.requests) * RATE > len(FAULTS) for wire in (to_sqs, to_s3))
        crowd.check_everyone_was_answered_right(range(PICTURES))
        books = await books_when_quiet(deployment.settings)
        books.check(answer.id for answer in crowd.answers.values())
        assert len(books.records) == PICTURES
        for tier in deployment.tiers:
            assert tier.process.poll() is None
