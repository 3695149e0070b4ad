"""a stack that shall go -> gone, its buckets emptied as far as that is allowed."""

from __future__ import annotations

from collections.abc import Callable

from iraas.deploy.buckets import Content, empty, look
from iraas.deploy.events import Event
from iraas.deploy.refusals import NotDone
from iraas.deploy.stack import Stack, State

TRIES = 3  # something may be written into a bucket between its emptying and its end


def contents(stack: Stack, state: State) -> list[Content]:
    """What users have in the stack's buckets; those that are not there any more left out."""
    return [look(stack.account, bucket) for bucket in bucket_names(stack, state)]


def bucket_names(stack: Stack, state: State) -> list[str]:
    """The stack's buckets."""
    return [
        resource.physical_id
        for resource in stack.resources(state.id)
        if resource.kind == "AWS::S3::Bucket" and resource.physical_id
    ]


def clear(
    stack: Stack,
    state: State,
    on_event: Callable[[Event], object],
    *,
    on_emptied: Callable[[str, int], object] = lambda _bucket, _removed: None,
    everything: bool = False,
) -> None:
    """Delete the stack. Buckets in which only probes and releases lie are emptied; others with `everything`.

    Raises `NotDone` when a bucket holds more than that, or when something else cannot be deleted.
    """
    for _ in range(TRIES):
        for content in contents(stack, state):
            if content.objects and not everything:
                raise NotDone(
                    f"the bucket {content.bucket} holds {content.in_words()}; nothing was deleted of it. "
                    f"`iraas destroy {stack.name} --empty-buckets` removes them for good"
                )
            bucket = content.bucket
            empty(stack.account, bucket, lambda removed, bucket=bucket: on_emptied(bucket, removed))  # type: ignore[misc]
        status, failures = stack.delete(state, on_event)
        if status == "DELETE_COMPLETE":
            return
        if not any(failure.kind == "AWS::S3::Bucket" for failure in failures):
            break
    causes = "; ".join(failure.in_words() for failure in failures) or "no cause is given"
    raise NotDone(
        f"the stack {stack.name} is {status}: {causes}. Mend what is named, and run it again: it goes on from there"
    )
