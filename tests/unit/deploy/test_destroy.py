"""An end leaves nothing behind, takes nothing that it was not told to, and goes on where it stopped."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.deploy.around import Groups, Images, Queues
from tests.unit.deploy.aws import refused
from tests.unit.deploy.watched import Watched

from iraas.deploy.destroy import destroy, find
from iraas.deploy.drain import MOST_SECONDS, drain
from iraas.deploy.refusals import NotDone

NAMES = ("inputs", "results", "artifacts")


@pytest.fixture
def queues(aws):
    return Queues(aws)


@pytest.fixture(autouse=True)
def images(aws):
    return Images(aws)


@pytest.fixture
def groups(aws):
    return Groups(aws)


@pytest.fixture
def service(aws, stacks, buckets, queues, groups):
    """A whole service: three buckets, two queues, two groups with instances."""
    aws.on(
        "sts",
        "GetCallerIdentity",
        lambda: {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ann", "UserId": "x"},
    )
    stacks.begins("CREATE_IN_PROGRESS")
    del buckets.objects["photos-artifactsbucket"]
    for what, logical in zip(NAMES, ("InputBucket", "ResultBucket", "ArtifactsBucket"), strict=True):
        stacks.happens(logical, "CREATE_COMPLETE")
        stacks.physical[logical] = f"photos-123456789012-{what}"
        buckets.objects[f"photos-123456789012-{what}"] = {}
    for tier in ("App", "Web"):
        stacks.happens(f"{tier}Group", "CREATE_COMPLETE", kind="AWS::AutoScaling::AutoScalingGroup")
        stacks.physical[f"{tier}Group"] = f"photos-{tier.lower()}"
        groups.add(f"photos-{tier.lower()}", 2)
    queues.urls = ["https://sqs/1/photos-responses-a", "https://sqs/1/photosother-responses-b"]
    stacks.ends("CREATE_COMPLETE")
    buckets.objects["photos-123456789012-artifacts"]["releases/x.tar"] = b"..."
    buckets.objects["photos-123456789012-inputs"]["probes/start"] = b""

    def deletes_buckets() -> None:
        for name in NAMES:
            bucket = f"photos-123456789012-{name}"
            if buckets.objects.get(bucket):
                stacks.happens(f"{name}", "DELETE_FAILED", "The bucket you tried to delete is not empty")
                stacks.ends("DELETE_FAILED")
                return
            buckets.objects.pop(bucket, None)
        stacks.resources = {}
        stacks.ends("DELETE_COMPLETE")

    stacks.on_delete = [deletes_buckets]
    return stacks


def end(stack, watched: Watched, *, empty: bool = False) -> list[str]:
    return destroy(stack, find(stack), watched, empty_buckets=empty)


def test_nothing_is_left(stack, service, buckets, queues, groups):
    """Groups are drained, our own objects removed, the stack deleted, response queues with it; others' stay."""
    watched = Watched()
    assert end(stack, watched) == []
    assert buckets.objects == {}
    assert queues.urls == ["https://sqs/1/photosother-responses-b"]
    assert "0 instances" in watched.lines
    assert find(stack).is_nothing


def test_queues_that_sqs_still_lists_are_not_left(stack, service, queues):
    """Its list lags by minutes: a clean end says so, and a second call finds nothing."""
    queues.urls.append("https://sqs/1/photos-requests")
    service.on_delete.append(lambda: queues.end("https://sqs/1/photos-requests"))
    queues.lingering["https://sqs/1/photos-requests"] = 2
    watched = Watched()

    assert end(stack, watched) == []
    assert "https://sqs/1/photos-requests" in queues.removed
    assert "Queues still answer, as they do for a minute after their end. Waiting for 1." in watched.lines
    assert find(stack).is_nothing


def test_queues_that_go_by_themselves_are_no_failure(stack, service, queues):
    """A web process removes its own queue when it ends, between our look and our hand."""
    found = find(stack)
    queues.end("https://sqs/1/photos-responses-a")
    queues.lingering["https://sqs/1/photos-responses-a"] = 1
    assert destroy(stack, found, Watched(), empty_buckets=False) == []


def test_images_go_with_the_service(aws, stack, service, images):
    """Those of this deployment, with their snapshots; another's stay."""
    images.names = {"ami-1": "photos-image 2026-11-22", "ami-2": "photos2-image 2026-11-22"}
    assert "the image ami-1, with its snapshot" in find(stack).in_words()
    assert end(stack, Watched()) == []
    assert list(images.names) == ["ami-2"]
    assert [call["DeleteAssociatedSnapshots"] for call in aws.calls("DeregisterImage")] == [True]


def test_pictures_are_kept_until_somebody_says_so(aws, stack, service, buckets, groups):
    """Nothing at all happens while a bucket holds pictures; with the word, they go with the rest."""
    buckets.objects["photos-123456789012-inputs"]["a/b"] = b"picture"
    with pytest.raises(NotDone, match=r"1 object in photos-123456789012-inputs: nothing was removed"):
        end(stack, Watched())
    assert groups.sizes == {"photos-app": 2, "photos-web": 2}
    assert aws.calls("DeleteStack") == []
    assert end(stack, Watched(), empty=True) == []
    assert buckets.objects == {}


def test_begun_uploads_are_ended(stack, service, buckets):
    """They cannot be seen in a list, and are paid for; an empty bucket has none."""
    bucket = "photos-123456789012-artifacts"
    for key in ("releases/y.tar", "releases/z.tar"):
        buckets._CreateMultipartUpload(bucket, key, Metadata={})
    assert end(stack, Watched()) == []
    assert buckets.uploads == {}


def test_what_was_written_at_the_last_moment_goes_too(stack, service, buckets, stacks):
    """A bucket that was not empty after all is emptied again, and the stack deleted again."""
    late = {"photos-123456789012-results": {"a/late": b"answer"}}
    stacks.on_delete.insert(0, lambda: [buckets.objects[name].update(late.pop(name)) for name in list(late)])
    assert end(stack, Watched(), empty=True) == []


def test_protected_instances_leave(aws, stacks, groups):
    """A busy instance is protected from scale-in; here it leaves, in order, all the same."""
    groups.add("photos-app", 3, protected=True)
    assert drain(aws.account(), ["photos-app"], lambda _: None, rest=stacks.rest) == 0


def test_instances_that_do_not_leave_are_not_waited_for_for_ever(aws, groups):
    """CloudFormation ends what is left."""
    groups.add("photos-app", 1)
    aws.on("autoscaling", "UpdateAutoScalingGroup", lambda **_: {})
    time = [0.0]
    left = drain(
        aws.account(),
        ["photos-app"],
        lambda _: None,
        rest=lambda seconds: time.append(time[-1] + seconds),
        clock=lambda: time[-1],
    )
    assert left == 1
    assert MOST_SECONDS < time[-1] < MOST_SECONDS + 10


def test_an_end_that_was_interrupted_is_gone_on_with(stack, service, aws, buckets):
    """DELETE_FAILED, then once more; the queues that were left go too."""
    aws.on("s3", "DeleteObjects", lambda **_: {"Errors": [{"Key": "releases/x.tar", "Code": "AccessDenied"}]})
    with pytest.raises(NotDone, match=r"releases/x.tar for one \(AccessDenied\)"):
        end(stack, Watched())
    service.status = "DELETE_FAILED"
    aws.on("s3", "DeleteObjects", buckets._DeleteObjects)
    assert end(stack, Watched()) == []


def test_an_end_under_way_is_followed(stack, service, buckets, queues):
    """Another call's DELETE_IN_PROGRESS: waited for, and the rest is done."""
    service.begins("DELETE_IN_PROGRESS")
    service.pending = [*service.on_delete]
    buckets.objects["photos-123456789012-artifacts"].clear()
    buckets.objects["photos-123456789012-inputs"].clear()
    found = find(stack)
    assert found.state is not None
    assert end(stack, Watched()) == []
    assert "https://sqs/1/photos-responses-a" not in queues.urls


def test_what_stays_is_listed(stack, service, stacks, buckets, queues):
    """What CloudFormation kept, and what is called so and was not the stack's."""
    queues.urls.append("https://sqs/1/photos-requests")

    def keeps() -> None:
        stacks.resources = {"LogGroup": ("AWS::Logs::LogGroup", "DELETE_SKIPPED")}
        stacks.ends("DELETE_COMPLETE")

    stacks.on_delete = [keeps]
    left = end(stack, Watched())
    assert "AWS::Logs::LogGroup photos-loggroup (DELETE_SKIPPED)" in left
    assert "the queue photos-requests" in left
    assert "the bucket photos-123456789012-inputs" in left


def test_a_failure_that_is_no_bucket_ends_in_words(stack, service, stacks):
    """The cause is named, and what to do."""
    stacks.on_delete = [
        lambda: stacks.happens(
            "WebSecurityGroup", "DELETE_FAILED", "has a dependent object", "AWS::EC2::SecurityGroup"
        ),
        lambda: stacks.ends("DELETE_FAILED"),
    ]
    with pytest.raises(NotDone, match=r"WebSecurityGroup .* has a dependent object.*it goes on from there"):
        end(stack, Watched())


def test_where_there_is_nothing_nothing_is_found(stack, stacks, buckets, queues):
    """No stack, no queues: there is nothing to ask about."""
    assert find(stack).is_nothing


def test_a_denied_look_is_told_before_anything_is_removed(stack, service, aws):
    """Who may not list a bucket does not learn it in the middle."""

    def denied(**_: Any) -> dict[str, Any]:
        raise refused("AccessDenied", "Access Denied", "ListObjectsV2")

    aws.on("s3", "ListObjectsV2", denied)
    with pytest.raises(Exception, match="you may not do s3:ListObjectsV2"):
        find(stack)
