"""a stack's name -> nothing of that name is left, or a list of what is and why.

drain groups -> empty buckets, when told to -> delete the stack -> response queues -> images -> look again.
Each step passes over what is gone already, so that a second call goes on where the first one stopped.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple, Protocol

from iraas.deploy.buckets import Content, is_there
from iraas.deploy.drain import drain
from iraas.deploy.events import Event
from iraas.deploy.queues import name_of, outlast, queues_there, remove
from iraas.deploy.refusals import NotDone, in_words
from iraas.deploy.remains import clear, contents
from iraas.deploy.stack import Resource, Stack, State, phase

GROUP = "AWS::AutoScaling::AutoScalingGroup"
KEPT = {"DELETE_SKIPPED", "DELETE_FAILED"}
BUCKETS = ("inputs", "results", "artifacts")
QUEUES = ("requests", "dead-letters", "responses-")


class Watcher(Protocol):
    """Who is told."""

    def says(self, line: str) -> None:
        """A line for people."""
        ...

    def draining(self, left: int) -> None:
        """Instances that have not left yet."""
        ...

    def emptying(self, bucket: str, removed: int) -> None:
        """Objects removed so far."""
        ...

    def happened(self, event: Event, total: int) -> None:
        """Something in the stack, which has `total` resources."""
        ...


class Found(NamedTuple):
    """What there is of a name."""

    state: State | None
    resources: list[Resource]
    contents: list[Content]  # of the buckets
    response_queues: list[str]  # URLs
    image_stack: State | None  # which made an image, if one did
    images: list[str]  # that it made: ids of AMIs

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.state or self.response_queues or self.image_stack or self.images)

    def in_words(self) -> list[str]:
        """What will go, for a person who is about to say yes."""
        lines = []
        if self.state:
            lines.append(f"the stack {self.state.id.split('/')[1]} ({self.state.status}), with")
            kinds = Counter(resource.kind for resource in self.resources)
            lines += [f"  {number:>3} x {kind}" for kind, number in sorted(kinds.items())]
        lines += [f"  {one.in_words()} in the bucket {one.bucket}" for one in self.contents if one.objects]
        if self.response_queues:
            lines.append(f"{len(self.response_queues)} response queues")
        if self.image_stack:
            lines.append(f"the stack {self.image_stack.id.split('/')[1]}, which made an image")
        lines += [f"the image {image}, with its snapshot" for image in self.images]
        return lines


def image_stack(stack: Stack) -> Stack:
    """The stack of templates/image.yaml that belongs to a deployment, by its name."""
    return Stack(stack.account, f"{stack.name}-image", rest=stack.rest, clock=stack.clock)


def find(stack: Stack) -> Found:
    """Look what there is. Raises what `in_words` does."""
    state = stack.state()
    return Found(
        state,
        stack.resources(state.id) if state else [],
        contents(stack, state) if state else [],
        response_queues(stack),
        image_stack(stack).state(),
        images(stack),
    )


def refuse_full_buckets(found: Found, *, empty_buckets: bool) -> None:
    """Raises `NotDone` while pictures or answers lie in a bucket and nobody said that they may go."""
    full = [content for content in found.contents if content.objects]
    if full and not empty_buckets:
        what = ", ".join(f"{content.in_words()} in {content.bucket}" for content in full)
        raise NotDone(
            f"there are {what}: nothing was removed. --empty-buckets removes them for good, or wait until their "
            "lifecycle has (9 days)"
        )


def destroy(stack: Stack, found: Found, watcher: Watcher, *, empty_buckets: bool) -> list[str]:
    """Remove it all -> what is left in spite of it, each with its reason; nothing, if all went well.

    Raises `NotDone` where a step fails; the next call goes on there.
    """
    refuse_full_buckets(found, empty_buckets=empty_buckets)
    if found.state:
        _destroy_stack(stack, found, watcher, empty_buckets=empty_buckets)
    if removed := remove(stack.account, response_queues(stack)):
        watcher.says(f"{removed} response queues removed.")
    if found.image_stack:
        image = image_stack(stack)
        total = len(image.resources())
        clear(
            image, found.image_stack, lambda event: watcher.happened(event, total), everything=empty_buckets
        )
        watcher.says(f"The stack {image.name} is deleted.")
    with in_words("removing images"):
        for image_id in images(stack):
            stack.account.client("ec2").deregister_image(ImageId=image_id, DeleteAssociatedSnapshots=True)
            watcher.says(f"The image {image_id} is removed.")
    return left(stack, found.state, watcher)


def _destroy_stack(stack: Stack, found: Found, watcher: Watcher, *, empty_buckets: bool) -> None:
    state = found.state
    assert state is not None
    if phase(state.status) == "busy":
        watcher.says(f"The stack {stack.name} is {state.status}. Waiting until it is at rest.")
        events = stack.events(state, whole_operation=True)
        status, _ = stack.follow(state, events, lambda event: watcher.happened(event, 0))
        if status == "DELETE_COMPLETE":
            return
    groups = [one.physical_id for one in found.resources if one.kind == GROUP and one.physical_id]
    if groups:
        remaining = drain(stack.account, groups, watcher.draining, rest=stack.rest, clock=stack.clock)
        if remaining:
            watcher.says(f"{remaining} instances have not left in time; CloudFormation ends them.")
    clear(
        stack,
        state,
        lambda event: watcher.happened(event, len(found.resources)),
        on_emptied=watcher.emptying,
        everything=empty_buckets,
    )
    watcher.says(f"The stack {stack.name} is deleted.")


def images(stack: Stack) -> list[str]:
    """Images of this account that templates/image.yaml made; no stack has them."""
    prefix = f"{stack.name}-image "
    with in_words("looking for images"):
        found = stack.account.pages(
            "ec2",
            "describe_images",
            "Images",
            Owners=["self"],
            Filters=[{"Name": "name", "Values": [f"{prefix}*"]}],
        )
    # Looked at once more: what is found here is removed, and not everything that speaks EC2 filters.
    return [str(image["ImageId"]) for image in found if image.get("Name", "").startswith(prefix)]


def response_queues(stack: Stack) -> list[str]:
    """URLs of the queues that web processes made, and no template knows."""
    return queues_there(stack.account, f"{stack.name}-responses-")


def left(stack: Stack, state: State | None, watcher: Watcher) -> list[str]:
    """What there still is of the name: what CloudFormation did not remove, and what is called so."""
    account, name = stack.account, stack.name
    found = []
    if state is not None:
        found = [
            f"{resource.kind} {resource.physical_id} ({resource.status})"
            for resource in _resources_of_the_deleted(stack, state)
        ]
    if stack.state() is not None:
        found.append(f"the stack {name}")
    for bucket in (f"{name}-{account.id}-{what}" for what in BUCKETS):
        if is_there(account, bucket):
            found.append(f"the bucket {bucket}")
    return found + [f"the queue {name_of(url)}" for url in _queues_left(stack, watcher)]


def _queues_left(stack: Stack, watcher: Watcher) -> list[str]:
    """URLs of queues of the name that have not gone."""
    going = [url for what in QUEUES for url in queues_there(stack.account, f"{stack.name}-{what}")]
    if going:
        watcher.says(
            f"Queues still answer, as they do for a minute after their end. Waiting for {len(going)}."
        )
    return outlast(stack.account, going, rest=stack.rest, clock=stack.clock)


def _resources_of_the_deleted(stack: Stack, state: State) -> list[Resource]:
    """What a deleted stack has kept; CloudFormation tells for 90 days, by the stack's id."""
    try:
        return [one for one in stack.resources(state.id) if one.status in KEPT]
    except NotDone:
        return []
