"""A bucket -> nothing, or one line that says what is wrong with it and how to mend it. For the start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from iraas.blobs.s3_fault import (
    BROKEN,
    CLOCK,
    EXPIRED,
    MISSING_BUCKET,
    NOT_CONNECTED,
    NOT_IN_TIME,
    UNKNOWN_KEY,
    WRONG_REGION,
    NoKeys,
    S3Fault,
)
from iraas.blobs.s3_place import Place
from iraas.errors import BackendUnavailable, ConfigurationError

if TYPE_CHECKING:
    from iraas.blobs.s3 import S3Blobs

PROBE = "probes/start"  # what is written; no list of the objects shows it
NEVER_THERE = "probes/none"


async def check_bucket(blobs: S3Blobs, *, name: str, may: Sequence[str]) -> None:
    """Ask whether the bucket is there and this process may do `may` with it, by doing it.

    `name` is the setting that has the bucket's name; `may` is any of ListBucket, PutObject, GetObject and
    DeleteObject. Nothing is listed beyond a page, written but `probes/start`, or removed. Raises
    `ConfigurationError`.
    """
    probes: dict[str, Callable[[], Awaitable[Any]]] = {
        "ListBucket": lambda: _list_a_page(blobs),
        "PutObject": lambda: blobs.put(PROBE, b"written when a process starts, to see that it may\n"),
        "GetObject": lambda: blobs.get(PROBE),
        "DeleteObject": lambda: blobs.delete(NEVER_THERE),
    }
    for action, probe in probes.items():
        if action not in may:
            continue
        try:
            await probe()
        except BackendUnavailable as error:
            fault = error.__cause__
            assert isinstance(fault, S3Fault)
            raise ConfigurationError(f"{name}: {_line(fault, blobs.place)}") from None


async def _list_a_page(blobs: S3Blobs) -> None:
    async with aclosing(blobs.list()) as infos:
        await anext(infos, None)


def _line(fault: S3Fault, place: Place) -> str:
    """What is wrong, and how to mend it."""
    code, bucket = fault.code, place.bucket
    if code in MISSING_BUCKET:
        return f"there is no bucket {bucket} ({code}); make it in {place.region}, or correct the name"
    if code in WRONG_REGION:
        there = fault.region or "another region"
        return (
            f"the bucket {bucket} is in {there}, and this process works in {place.region} ({code}); "
            f"set AWS_REGION={fault.region or '<its region>'}, or name a bucket in {place.region}"
        )
    if code in EXPIRED:
        return f"the AWS credentials have expired ({code}); renew them, and check this machine's clock"
    if isinstance(fault, NoKeys):
        return (
            f"no AWS credentials were found ({code}); set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run where there is a role"
        )
    if code in CLOCK:
        return f"this machine's clock is wrong by more than AWS allows ({code}); set it"
    if code in UNKNOWN_KEY:
        return f"AWS does not accept these credentials ({code}); check key, secret and token"
    if fault.is_denied:
        return f"{fault.denied} on {bucket} ({code}); allow it in the policy of this process's role"
    if code in (NOT_CONNECTED, NOT_IN_TIME, BROKEN):
        return (
            f"{place.endpoint} cannot be reached ({code}); check the address, the network and its endpoints"
        )
    return f"S3 answers {code} to {fault.operation} on {bucket} at {place.endpoint}; try again later"
