"""A rollout from every state that a stack can be in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.unit.deploy.stacks import change
from tests.unit.deploy.watched import Watched

from iraas.deploy.refusals import NotDone
from iraas.deploy.rollout import Declined, roll_out

BUCKET = "photos-artifactsbucket"


def uploaded(buckets, release) -> bool:
    return release.key in buckets.objects[BUCKET]


def test_a_new_stack_is_made_and_its_release_uploaded(stack, stacks, buckets, wanted, made, release):
    """From nothing: changes are shown, then made, and the release is in the bucket at the end."""
    made("CREATE")
    watched = Watched()

    state = roll_out(stack, wanted, watched)

    assert state.status == "CREATE_COMPLETE"
    assert [one.logical_id for one in watched.shown[0].changes] == ["ArtifactsBucket"]
    assert watched.begun == 1
    assert uploaded(buckets, release)
    assert [event.logical_id for event in watched.events if event.status == "CREATE_COMPLETE"] == [
        "ArtifactsBucket",
        "RequestQueue",
        "photos",
    ]


def test_the_release_is_uploaded_while_the_stack_is_being_made(stack, stacks, buckets, wanted, made, release):
    """Instances that a stack waits for need the release before the stack is complete."""
    made("CREATE")
    stacks.on_execute.insert(-1, lambda: None)
    *first, last = stacks.on_execute

    def waits() -> None:
        if not uploaded(buckets, release):
            stacks.pending.insert(0, waits)  # as a stack whose instances cannot start
        else:
            last()

    stacks.on_execute = [*first, waits]
    assert roll_out(stack, wanted, Watched()).status == "CREATE_COMPLETE"


def test_who_says_no_leaves_nothing_behind(stack, stacks, wanted, made):
    """A change set that nobody wants is removed, with the stack that was made to hold it."""
    made("CREATE")
    with pytest.raises(Declined):
        roll_out(stack, wanted, Watched(False))

    assert stacks.change_sets == {}
    assert stacks.status == "DELETE_COMPLETE"
    assert stacks.events[-1]["ResourceStatus"] == "REVIEW_IN_PROGRESS"


def test_a_call_that_stopped_before_its_changes_is_gone_on_with(stack, stacks, wanted, made):
    """REVIEW_IN_PROGRESS: the old change set is removed, and the stack is made by a new one."""
    stacks.begins("REVIEW_IN_PROGRESS")
    stacks.change_sets["arn:x:changeSet/iraas-old/1"] = {"ExecutionStatus": "AVAILABLE"}
    stacks.change_sets["arn:x:changeSet/somebodys/1"] = {"ExecutionStatus": "AVAILABLE"}
    made("CREATE")

    assert roll_out(stack, wanted, Watched()).status == "CREATE_COMPLETE"
    assert list(stacks.change_sets) == ["arn:x:changeSet/somebodys/1"]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_is_there_is_updated(status, stack, stacks, buckets, wanted, there, release):
    """Its release is uploaded before anything is changed: instances may be replaced at once."""
    there(status)
    seen = []
    stacks.on_execute.insert(0, lambda: seen.append(uploaded(buckets, release)))

    state = roll_out(stack, wanted, Watched())

    assert state.status == "UPDATE_COMPLETE"
    assert seen == [True]
    assert state.parameters == {"AppMax": "3"}


def test_no_change_is_success(stack, stacks, buckets, wanted, there, release):
    """An empty change set is removed and nothing is asked; a release that was missing is uploaded."""
    there("CREATE_COMPLETE")
    stacks.changes = []
    watched = Watched()

    assert roll_out(stack, wanted, watched).status == "CREATE_COMPLETE"
    assert watched.questions == []
    assert stacks.change_sets == {}
    assert uploaded(buckets, release)


def test_every_page_of_changes_and_events_is_read(stack, stacks, wanted, there):
    """Pages of three: all of the changes are shown, and all that happens is told, once and in order."""
    there("CREATE_COMPLETE")
    stacks.page = 3
    stacks.changes = [change("Modify", f"Alarm{n}", "AWS::CloudWatch::Alarm") for n in range(10)]

    def all_at_once() -> None:
        for n in range(10):
            stacks.happens(f"Alarm{n}", "UPDATE_COMPLETE", kind="AWS::CloudWatch::Alarm")

    stacks.on_execute.insert(0, all_at_once)
    watched = Watched()
    roll_out(stack, wanted, watched)

    assert [one.logical_id for one in watched.shown[0].changes] == [f"Alarm{n}" for n in range(10)]
    assert [one.logical_id for one in watched.events if "Alarm" in one.logical_id] == [
        f"Alarm{n}" for n in range(10)
    ]


def test_an_operation_under_way_is_followed_first(stack, stacks, buckets, wanted, made, release):
    """An earlier call's CREATE_IN_PROGRESS: its events are told from their beginning, its release is uploaded."""
    stacks.begins("REVIEW_IN_PROGRESS")
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.happens("ArtifactsBucket", "CREATE_COMPLETE")
    stacks.parameters = [{"ParameterKey": "AppMax", "ParameterValue": "3"}]
    seen = []

    def later() -> None:
        if not uploaded(buckets, release):
            stacks.pending.insert(0, later)
        else:
            seen.append(True)
            stacks.ends("CREATE_COMPLETE")

    stacks.pending = [later]
    made("UPDATE")
    watched = Watched()

    assert roll_out(stack, wanted, watched).status == "UPDATE_COMPLETE"
    assert "is CREATE_IN_PROGRESS" in watched.lines[0]
    assert watched.events[0].status == "CREATE_IN_PROGRESS"
    assert seen == [True]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"])
def test_a_stack_that_was_never_made_is_deleted_and_made_anew(status, stack, stacks, buckets, wanted, made):
    """The cause is told first, and nothing is deleted before somebody says yes."""
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.happens("ArtifactsBucket", "CREATE_COMPLETE")
    stacks.happens(
        "WebGroup", "CREATE_FAILED", "You have reached your vCPU limit", "AWS::AutoScaling::AutoScalingGroup"
    )
    stacks.ends(status)
    buckets.objects[BUCKET] = {"releases/old.tar": b"..."}
    stacks.on_delete = [lambda: buckets.objects.pop(BUCKET), lambda: stacks.ends("DELETE_COMPLETE")]
    made("CREATE")
    stacks.on_execute.insert(0, lambda: buckets.objects.setdefault(BUCKET, {}))
    watched = Watched()

    state = roll_out(stack, wanted, watched)

    assert state.status == "CREATE_COMPLETE"
    assert state.id.endswith("/2")
    assert any("vCPU limit" in line and "Service Quotas" in line for line in watched.lines)
    assert watched.questions[0].startswith("Delete")


def test_names_that_are_still_taken_are_waited_for(stack, stacks, buckets, wanted, made):
    """SQS keeps a queue's name for a minute after its end; a new stack would fail on it."""
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.ends("ROLLBACK_COMPLETE")
    stacks.time = datetime.now(UTC)
    stacks.on_delete.insert(
        0, lambda: stacks.happens("RequestQueue", "DELETE_COMPLETE", kind="AWS::SQS::Queue")
    )
    made("CREATE")
    rested = []
    stack.rest = lambda seconds: (rested.append(seconds), stacks.rest(seconds))
    roll_out(stack, wanted, Watched())
    assert 50 < max(rested) <= 60


def test_a_failed_stack_stays_when_nobody_says_yes(stack, stacks, wanted):
    """ROLLBACK_COMPLETE and no: nothing is deleted."""
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.ends("ROLLBACK_COMPLETE")
    with pytest.raises(Declined):
        roll_out(stack, wanted, Watched(False))
    assert stacks.aws.calls("DeleteStack") == []


def test_pictures_in_a_failed_stack_are_not_deleted(stack, stacks, buckets, wanted):
    """A bucket with somebody's pictures stops it, whatever was confirmed."""
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.happens("InputBucket", "CREATE_COMPLETE")
    stacks.ends("ROLLBACK_FAILED")
    buckets.objects["photos-inputbucket"] = {"probes/start": b"", "a/b": b"picture"}
    with pytest.raises(NotDone, match=r"photos-inputbucket holds 1 object.*--empty-buckets"):
        roll_out(stack, wanted, Watched())
    assert buckets.objects["photos-inputbucket"] == {"probes/start": b"", "a/b": b"picture"}


def test_a_rollback_that_stopped_is_continued(stack, stacks, buckets, wanted, there):
    """UPDATE_ROLLBACK_FAILED: confirmed, continued, and then updated as usual."""
    there("UPDATE_ROLLBACK_FAILED")
    watched = Watched()
    assert roll_out(stack, wanted, watched).status == "UPDATE_COMPLETE"
    assert "going back" in watched.questions[0]
    assert len(stacks.aws.calls("ContinueUpdateRollback")) == 1


def test_a_stack_that_could_not_be_deleted_is_named_with_what_is_left(stack, stacks, wanted):
    """DELETE_FAILED: `iraas destroy` is the way on, and nothing is changed."""
    stacks.begins("DELETE_IN_PROGRESS")
    stacks.happens("InputBucket", "DELETE_FAILED", "The bucket you tried to delete is not empty")
    stacks.ends("DELETE_FAILED")
    with pytest.raises(NotDone, match=r"InputBucket could not be deleted; `iraas destroy photos`"):
        roll_out(stack, wanted, Watched())
