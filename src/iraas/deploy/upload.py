"""a file -> an object in a bucket, part by part; what an earlier try has uploaded is not uploaded again.

A part's ETag is its MD5 where S3 encrypts with its own keys ("Checking object integrity", S3 user guide); under a
key of KMS it is not, and all parts are uploaded again.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from iraas.deploy.account import Account
from iraas.deploy.refusals import NotDone, code_of, in_words

PART_BYTES = 8 * 2**20  # S3 takes 5 MiB to 5 GiB, and 10,000 parts
ABREAST = 4  # parts in memory at once, and on the wire

Progress = Callable[[int, int], object]  # bytes uploaded, of how many


class Object(NamedTuple):
    """What is to be there, and where."""

    path: Path
    sha256: str
    bucket: str
    key: str


class Stopped(Exception):
    """Whoever wanted the upload is gone."""


def upload(
    account: Account, wanted: Object, on_progress: Progress, *, stop: threading.Event | None = None
) -> bool:
    """Have the file in the bucket -> False: it was there already. Raises what `in_words` does, and `Stopped`."""
    size = wanted.path.stat().st_size
    client = account.client("s3")
    with in_words(f"uploading to s3://{wanted.bucket}/{wanted.key}"):
        if _is_there(client, wanted, size):
            on_progress(size, size)
            return False
        begun = _begun(client, wanted) or _begin(client, wanted)
        parts = _parts(client, wanted, begun, size, on_progress, stop or threading.Event())
        client.complete_multipart_upload(
            Bucket=wanted.bucket, Key=wanted.key, UploadId=begun, MultipartUpload={"Parts": parts}
        )
        if not _is_there(client, wanted, size):
            raise NotDone(
                f"s3://{wanted.bucket}/{wanted.key} is not as it was uploaded; run the command again"
            )
    return True


def _is_there(client: Any, wanted: Object, size: int) -> bool:
    try:
        found = client.head_object(Bucket=wanted.bucket, Key=wanted.key)
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return bool(found["ContentLength"] == size and found.get("Metadata", {}).get("sha256") == wanted.sha256)


def _begun(client: Any, wanted: Object) -> str:
    """An upload of an earlier try; empty: none."""
    found = client.list_multipart_uploads(Bucket=wanted.bucket, Prefix=wanted.key).get("Uploads", [])
    return next((str(one["UploadId"]) for one in found if one["Key"] == wanted.key), "")


def _begin(client: Any, wanted: Object) -> str:
    return str(
        client.create_multipart_upload(
            Bucket=wanted.bucket,
            Key=wanted.key,
            ContentType="application/x-tar",
            Metadata={"sha256": wanted.sha256},
        )["UploadId"]
    )


def _parts(
    client: Any, wanted: Object, upload_id: str, size: int, on_progress: Progress, stop: threading.Event
) -> list[dict[str, Any]]:
    """Every part's number and ETag, once each is there."""
    place = {"Bucket": wanted.bucket, "Key": wanted.key, "UploadId": upload_id}
    pages = client.get_paginator("list_parts").paginate(**place)
    there = {part["PartNumber"]: part["ETag"].strip('"') for page in pages for part in page.get("Parts", [])}

    def put(number: int) -> tuple[int, str, int]:
        if stop.is_set():
            raise Stopped
        with wanted.path.open("rb") as file:
            file.seek((number - 1) * PART_BYTES)
            body = file.read(PART_BYTES)
        digest = hashlib.md5(body, usedforsecurity=False)
        if there.get(number) == digest.hexdigest():
            return number, there[number], len(body)
        md5 = base64.b64encode(digest.digest()).decode()
        answer = client.upload_part(**place, PartNumber=number, Body=body, ContentMD5=md5)
        return number, answer["ETag"].strip('"'), len(body)

    numbers = range(1, max(1, -(-size // PART_BYTES)) + 1)
    etags: dict[int, str] = {}
    done = 0
    with ThreadPoolExecutor(ABREAST, thread_name_prefix="upload") as threads:
        futures = [threads.submit(put, number) for number in numbers]
        try:
            for future in as_completed(futures):
                number, etag, length = future.result()
                etags[number] = etag
                done += length
                on_progress(done, size)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    return [{"PartNumber": number, "ETag": f'"{etags[number]}"'} for number in numbers]


class Upload:
    """An upload in a thread of its own, beside something that takes long as well."""

    def __init__(self, account: Account, on_progress: Progress) -> None:
        self._account = account
        self._on_progress = on_progress
        self._progress: tuple[int, int] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is something to wait for."""
        return self._thread is not None

    def begin(self, wanted: Object) -> None:
        """Begin, unless it has begun."""
        if self._thread is None:
            # Ends with the process, if it must: the next one goes on from its parts.
            self._thread = threading.Thread(target=self._run, args=(wanted,), name="release", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until it is there. Raises what went wrong."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.2)  # in small steps, so that Ctrl-C comes through
            self.tell()
        if self._error is not None:
            raise self._error

    def tell(self) -> None:
        """Say how far it is, in the thread of whoever calls."""
        if self._progress is not None:
            self._on_progress(*self._progress)

    def stop(self) -> None:
        """Have no more parts uploaded."""
        self._stop.set()

    def _run(self, wanted: Object) -> None:
        try:
            upload(self._account, wanted, self._note, stop=self._stop)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it
            self._error = error

    def _note(self, done: int, total: int) -> None:
        self._progress = done, total
