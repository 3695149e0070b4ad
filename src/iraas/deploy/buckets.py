"""a bucket -> what lies in it, or nothing any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from iraas.deploy.account import Account
from iraas.deploy.refusals import NotDone, code_of, in_words

COUNTED = 10_000  # objects at most that are counted one by one
# What no user has put there: probes of processes that start, and releases. It may go without being asked for.
OURS = ("probes/", "releases/")


class Content(NamedTuple):
    """What lies in a bucket."""

    bucket: str
    objects: int  # of users; up to COUNTED
    more: bool  # than that

    def in_words(self) -> str:
        """`1,234 objects`."""
        return f"{'more than ' if self.more else ''}{self.objects:,} object{'' if self.objects == 1 else 's'}"


def look(account: Account, bucket: str) -> Content:
    """How much of its users lies in the bucket. A bucket that is not there is empty."""
    count = 0
    with in_words(f"looking into the bucket {bucket}"):
        for page in _pages(account, "list_objects_v2", bucket):
            count += sum(not item["Key"].startswith(OURS) for item in page.get("Contents", []))
            if count > COUNTED:
                return Content(bucket, COUNTED, True)
    return Content(bucket, count, False)


def empty(account: Account, bucket: str, on_progress: Callable[[int], object]) -> int:
    """Remove everything: objects, their versions if somebody switched those on, and begun uploads -> how many."""
    client = account.client("s3")
    removed = 0
    with in_words(f"emptying the bucket {bucket}"):
        for page in _pages(account, "list_object_versions", bucket):
            keys = [
                {"Key": item["Key"], "VersionId": item["VersionId"]}
                for item in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
            ]
            if keys:
                answer = client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                _refuse_failures(answer, bucket)
                removed += len(keys)
                on_progress(removed)
        for page in _pages(account, "list_multipart_uploads", bucket):
            for begun in page.get("Uploads", []):
                client.abort_multipart_upload(Bucket=bucket, Key=begun["Key"], UploadId=begun["UploadId"])
                removed += 1
                on_progress(removed)
    return removed


def is_there(account: Account, bucket: str) -> bool:
    """Whether there is such a bucket of this account."""
    with in_words(f"looking for the bucket {bucket}"):
        try:
            account.client("s3").head_bucket(Bucket=bucket)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchBucket"):
                return False
            raise
    return True


def _pages(account: Account, operation: str, bucket: str) -> Iterator[Any]:
    """Page by page; none of a bucket that is not there. What is removed between two pages does no harm."""
    try:
        yield from account.client("s3").get_paginator(operation).paginate(Bucket=bucket)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise


def _refuse_failures(answer: dict[str, Any], bucket: str) -> None:
    errors = answer.get("Errors", [])
    if errors:
        first = errors[0]
        raise NotDone(
            f"{len(errors)} objects of {bucket} cannot be removed, {first['Key']} for one ({first['Code']}); "
            "have s3:DeleteObject allowed, and see whether the bucket has a lock"
        )
