"""a template, parameters, a release -> a stack that runs it, from whatever state an earlier call or somebody left.

none, REVIEW_IN_PROGRESS --------------------------- make ----+
CREATE_COMPLETE, UPDATE_COMPLETE, ..._ROLLBACK_COMPLETE ------+-> change set -> shown -> executed -> followed
*_IN_PROGRESS          -> followed, then as it is             |
ROLLBACK_COMPLETE, ... -> deleted when confirmed -------------+
UPDATE_ROLLBACK_FAILED -> continued when confirmed -----------+
DELETE_FAILED          -> `iraas destroy` goes on
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from iraas.deploy.again import seconds_until_free
from iraas.deploy.changes import ChangeSet, discard, execute, prepare
from iraas.deploy.events import Event
from iraas.deploy.refusals import NotDone
from iraas.deploy.release import Release
from iraas.deploy.remains import clear
from iraas.deploy.stack import Phase, Stack, State, phase
from iraas.deploy.upload import Object, Upload

BUCKET = "ArtifactsBucket"
MOST_ROUNDS = 10  # each deals with one state; more than this, and somebody else is at work as well


class Watcher(Protocol):
    """Who is told, and asked."""

    def says(self, line: str) -> None:
        """A line for people."""
        ...

    def asks(self, question: str) -> bool:
        """Whether to go on."""
        ...

    def shows(self, changes: ChangeSet) -> None:
        """What would change."""
        ...

    def begins(self) -> None:
        """From now on AWS is at work, also when this process ends."""
        ...

    def happened(self, event: Event, total: int) -> None:
        """Something in the stack; `total` resources are to change, 0 if that is not known."""
        ...

    def uploaded(self, done: int, total: int) -> None:
        """Bytes of the release."""
        ...


class Wanted(NamedTuple):
    """What the stack shall be."""

    # For a new stack (None), or for one that is there.
    template: Callable[[State | None], str]
    parameters: Callable[[State | None], list[dict[str, Any]]]  # as CreateChangeSet takes them
    release: Release
    tags: dict[str, str]


class Declined(NotDone):
    """Whoever was asked said no; nothing was changed."""


def roll_out(stack: Stack, wanted: Wanted, watcher: Watcher) -> State:
    """Make or update the stack -> what it is like then. Raises what `in_words` does, `NotDone` and `Declined`."""
    upload = Upload(stack.account, watcher.uploaded)
    try:
        for _ in range(MOST_ROUNDS):
            state = stack.state()
            now = phase(state.status if state else None)
            if now in ("none", "ready"):
                return _change(stack, state if now == "ready" else None, wanted, watcher, upload)
            assert state is not None
            _bring_to_rest(stack, state, now, wanted, watcher, upload)
        raise NotDone(f"the stack {stack.name} does not come to rest; see who else works on it")
    finally:
        upload.stop()


def _bring_to_rest(
    stack: Stack, state: State, now: Phase, wanted: Wanted, watcher: Watcher, upload: Upload
) -> None:
    """Do what this state asks for, before anything can be changed."""
    if now == "busy":
        watcher.says(
            f"The stack {stack.name} is {state.status}: an earlier call, or somebody else. Following it."
        )
        events = stack.events(state, whole_operation=True)
        status, failures = stack.follow(state, events, _with_upload(stack, wanted, watcher, upload, total=0))
        watcher.says(_outcome(stack, status, failures))
    elif now == "dead":
        watcher.says(f"The stack {stack.name} is {state.status}, and can only be deleted.")
        for failure in stack.failures(state):
            watcher.says(f"  {failure.in_words()}")
        if not watcher.asks("Delete what is left of it, and make it anew?"):
            raise Declined("nothing was changed")
        clear(stack, state, lambda event: watcher.happened(event, 0))
        if seconds := seconds_until_free(stack.history(state), datetime.now(UTC)):
            watcher.says(f"Waiting {seconds:.0f} s: so long the names of its queues are taken.")
            stack.rest(seconds)
    elif now == "stuck":
        watcher.says(f"The stack {stack.name} is {state.status}: going back to what it was has failed.")
        for failure in stack.failures(state):
            watcher.says(f"  {failure.in_words()}")
        if not watcher.asks("Have it go on going back?"):
            raise Declined("nothing was changed")
        status, failures = stack.continue_rollback(state, lambda event: watcher.happened(event, 0))
        if status != "UPDATE_ROLLBACK_COMPLETE":
            raise NotDone(f"{_outcome(stack, status, failures)} Mend what is named, and run it again")
    else:
        left = ", ".join(resource.logical_id for resource in stack.resources()) or "something"
        raise NotDone(
            f"the stack {stack.name} is {state.status}: {left} could not be deleted; "
            f"`iraas destroy {stack.name}` goes on with it"
        )


def _change(stack: Stack, state: State | None, wanted: Wanted, watcher: Watcher, upload: Upload) -> State:
    """Show what would change, and have it done."""
    changes = prepare(
        stack.account,
        stack.name,
        "UPDATE" if state else "CREATE",
        wanted.template(state),
        wanted.parameters(state),
        tags=wanted.tags,
        rest=stack.rest,
    )
    if not changes.changes:
        watcher.says(f"Nothing changes in the stack {stack.name}.")
        _upload_now(stack, wanted, upload)
        return _there(stack)
    begun = False
    try:
        watcher.shows(changes)
        if not watcher.asks("Make these changes?"):
            raise Declined("nothing was changed")
        if state is not None:  # its instances may be replaced at once, and want the release then
            _upload_now(stack, wanted, upload)
        before = stack.state(changes.stack_id)
        assert before is not None
        events = stack.events(before)
        watcher.begins()
        begun = True
        execute(stack.account, changes)
    finally:
        if not begun:
            discard(stack.account, changes)
    on_event = _with_upload(stack, wanted, watcher, upload, total=len(changes.changes))
    status, failures = stack.follow(before, events, on_event)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise NotDone(_outcome(stack, status, failures))
    _upload_now(stack, wanted, upload)
    return _there(stack)


def _with_upload(
    stack: Stack, wanted: Wanted, watcher: Watcher, upload: Upload, *, total: int
) -> Callable[[Event], None]:
    """Tell of an event, and begin to upload as soon as the bucket is there: instances wait for 15 minutes only."""

    def on_event(event: Event) -> None:
        upload.tell()
        watcher.happened(event, total)
        if event.logical_id == BUCKET and event.status == "CREATE_COMPLETE" and not upload.has_begun:
            _begin_upload(stack, wanted, upload)

    return on_event


def _begin_upload(stack: Stack, wanted: Wanted, upload: Upload) -> None:
    bucket = stack.physical(BUCKET)
    if bucket:
        upload.begin(Object(wanted.release.path, wanted.release.sha256, bucket, wanted.release.key))


def _upload_now(stack: Stack, wanted: Wanted, upload: Upload) -> None:
    if not upload.has_begun:
        _begin_upload(stack, wanted, upload)
    upload.wait()


def _there(stack: Stack) -> State:
    state = stack.state()
    if state is None:
        raise NotDone(f"the stack {stack.name} was deleted meanwhile")
    return state


def _outcome(stack: Stack, status: str, failures: list[Event]) -> str:
    """A line for each cause."""
    if not failures:
        return f"The stack {stack.name} is {status}."
    causes = "; ".join(failure.in_words() for failure in failures)
    back = " What there was before is there again." if status == "UPDATE_ROLLBACK_COMPLETE" else ""
    return f"The stack {stack.name} is {status}: {causes}.{back}"
