"""A queue is there when it answers, whatever the list says."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.deploy.around import Queues
from tests.unit.deploy.aws import refused

from iraas.deploy.queues import LOOK_SECONDS, MOST_SECONDS, outlast, queues_there, remove
from iraas.errors import ConfigurationError

URL = "https://sqs/1/photos-responses-"


@pytest.fixture
def queues(aws):
    return Queues(aws)


class Time:
    """Passes when somebody rests."""

    now = 0.0

    def rest(self, seconds: float) -> None:
        self.now += seconds


def waited(aws, urls: list[str]) -> tuple[list[str], float]:
    """What is left, and after how many seconds that is known."""
    time = Time()
    return outlast(aws.account(), urls, rest=time.rest, clock=lambda: time.now), time.now


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
def test_a_removed_queue_that_is_listed_is_not_there(code, aws, queues):
    """Both ways in which SQS says it; removing it once more is no failure, and counts nothing."""
    queues.code = code
    queues.urls = [f"{URL}a", f"{URL}b"]
    account = aws.account()

    assert remove(account, [f"{URL}a"]) == 1
    assert queues_there(account, "photos-responses-") == [f"{URL}b"]
    assert remove(account, [f"{URL}a", f"{URL}b"]) == 1


def test_every_page_of_queues_is_read(aws, queues):
    """SQS gives no second page to who does not say how many a page shall have."""
    queues.page = 2
    queues.urls = [f"{URL}{number}" for number in range(5)]
    assert queues_there(aws.account(), "photos-responses-") == queues.urls


def test_a_queue_that_goes_is_waited_for(aws, queues):
    """It answers for a while after its end; no longer than that is waited."""
    queues.removed = [f"{URL}a", f"{URL}b"]
    queues.lingering = {f"{URL}a": 3}
    assert waited(aws, [f"{URL}a", f"{URL}b"]) == ([], 4 * LOOK_SECONDS)


def test_a_queue_that_stays_is_not_waited_for_for_ever(aws, queues):
    """Two minutes; then it is one that is left."""
    queues.urls = [f"{URL}a"]
    assert waited(aws, queues.urls) == (queues.urls, MOST_SECONDS)


def test_where_nothing_goes_nothing_is_waited_for(aws, queues):
    """Nobody is asked, and no time passes."""
    assert waited(aws, []) == ([], 0.0)
    assert aws.asked == []


def test_a_denial_is_no_absence(aws, queues):
    """Who may not ask a queue does not hear that it is gone."""
    queues.urls = [f"{URL}a"]

    def denied(**_: Any) -> dict[str, Any]:
        raise refused(
            "AccessDenied", "not authorized to perform: sqs:getqueueattributes on resource: arn:aws:sqs:a"
        )

    for operation in ("GetQueueAttributes", "DeleteQueue"):
        aws.on("sqs", operation, denied)
    with pytest.raises(ConfigurationError, match="you may not do"):
        queues_there(aws.account(), "photos-responses-")
    with pytest.raises(ConfigurationError, match="you may not do"):
        remove(aws.account(), queues.urls)
