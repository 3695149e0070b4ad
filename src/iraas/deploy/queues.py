"""a name's beginning -> the queues that are called so and are there, or none of them any more.

ListQueues names a queue for minutes after its end (https://github.com/aws/aws-sdk-net/issues/2127), and what is then
asked of the queue is refused (.../issues/3018): only a queue that answers for itself is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from iraas.deploy.account import Account
from iraas.deploy.refusals import code_of, in_words
from iraas.queues.sqs_errors import VANISHED
from iraas.queues.sqs_upkeep import PAGE

LOOK_SECONDS = 5.0
# DeleteQueue takes up to 60 s, in which a request to the queue may still succeed (its page in the API reference).
MOST_SECONDS = 120.0


def queues_there(account: Account, prefix: str) -> list[str]:
    """URLs of the queues whose names begin so. Raises what `in_words` does."""
    with in_words("listing queues"):
        urls = account.pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix=prefix, MaxResults=PAGE)
    return [url for url in urls if answers(account, url)]


def answers(account: Account, url: str) -> bool:
    """Whether there is such a queue. Raises what `in_words` does."""
    with in_words(f"looking for the queue {name_of(url)}"):
        return _done(
            lambda: account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        )


def remove(account: Account, urls: Sequence[str]) -> int:
    """Remove the queues -> how many of them were there still. Raises what `in_words` does."""
    with in_words("removing queues"):
        return sum(_done(lambda url=url: account.client("sqs").delete_queue(QueueUrl=url)) for url in urls)  # type: ignore[misc]


def outlast(
    account: Account,
    urls: Sequence[str],
    *,
    rest: Callable[[float], None],
    clock: Callable[[], float],
) -> list[str]:
    """Wait for queues that go -> those that answer still after `MOST_SECONDS`. Raises what `in_words` does."""
    deadline = clock() + MOST_SECONDS
    left = list(urls)
    while left and clock() < deadline:
        rest(LOOK_SECONDS)
        left = [url for url in left if answers(account, url)]
    return left


def name_of(url: str) -> str:
    """What the queue of a URL is called."""
    return url.rpartition("/")[2]


def _done(ask: Callable[[], object]) -> bool:
    """Ask something of a queue -> False: it is not there. AWS writes its code with and without a prefix."""
    try:
        ask()
    except ClientError as error:
        if code_of(error).rpartition(".")[2] in VANISHED:
            return False
        raise
    return True
