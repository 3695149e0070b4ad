"""The object store of any number of machines: keys and bytes <-> objects of an S3 bucket.

S3Blobs          what the port promises
s3_attempts      tries again, within one deadline
s3_metadata      metadata as S3 keeps it     s3_ending   the process's end
s3_objects       one request by obstore      s3_pages    one page of a list
s3_fault         what S3 said, in our words  s3_place    where the bucket is, and the keys to it
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from botocore.session import Session

from iraas.blobs.keys import check_key, check_metadata, check_prefix
from iraas.blobs.port import Blob, BlobInfo
from iraas.blobs.s3_attempts import Attempts
from iraas.blobs.s3_check import check_bucket
from iraas.blobs.s3_fault import S3Fault
from iraas.blobs.s3_metadata import NONCE, attributes_of, new_nonce
from iraas.blobs.s3_objects import Known, Objects
from iraas.blobs.s3_pages import Pages
from iraas.blobs.s3_place import Keys, place
from iraas.errors import BackendUnavailable, ConfigurationError

__all__ = ["S3Blobs", "check_bucket"]

AT_ONCE = 32
MOST_REQUESTS = 128  # under way: while S3 is silent, those who wait must not use up the process's sockets
_PRECONDITION_FAILED = 412
_RANGE_NOT_SATISFIABLE = 416


class S3Blobs:
    """Objects in one bucket; keeps the promises of `Blobs` among all processes of all machines.

    `endpoint` is empty for AWS's own. `max_bytes`: a larger object is not read, `get` raises `ImageTooLarge`.
    `encryption`: empty for the bucket's own default, `AES256`, or `aws:kms` with the key `kms_key`; without it,
    with AWS's own. `on_request` is told S3's name of the operation for each request that is sent, whether it
    is a first or a further attempt.

    A call tries for 8 seconds at most; then, or when S3 refuses, it raises `BackendUnavailable`, whose cause
    is an `S3Fault`. For one event loop. Raises `ConfigurationError` for settings that cannot be.
    """

    at_once = AT_ONCE

    def __init__(
        self,
        bucket: str,
        *,
        session: Session,
        region: str,
        endpoint: str = "",
        max_bytes: int,
        encryption: str = "",
        kms_key: str = "",
        on_request: Callable[[str], object] = lambda _operation: None,
    ) -> None:
        if kms_key and encryption != "aws:kms":
            raise ConfigurationError("a KMS key is used by the encryption aws:kms alone; set that, or no key")
        self.place = place(bucket, region, endpoint)
        keys = Keys(session)
        self._objects = Objects(
            self.place, keys, session, max_bytes=max_bytes, encryption=encryption, kms_key=kms_key
        )
        self._pages = Pages(self.place, keys, session)
        self._attempts = partial(Attempts, asyncio.Semaphore(MOST_REQUESTS), on_request)

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """Store an object; False when `if_absent` found one there."""
        check_key(key)
        check_metadata(metadata or {})
        attributes = attributes_of(metadata or {})
        with self._in_words():
            if if_absent:
                return await self._put_if_absent(key, data, attributes)
            await self._attempts().make("PutObject", partial(self._objects.put, key, data, attributes))
            return True

    async def get(self, key: str) -> Blob | None:
        """The object, or None. Raises `ImageTooLarge` for one of more than `max_bytes`, without reading it."""
        check_key(key)
        with self._in_words():
            return await self._attempts().make("GetObject", partial(self._objects.get, key))

    async def head(self, key: str) -> BlobInfo | None:
        """What is known of the object, or None."""
        check_key(key)
        with self._in_words():
            known = await self._known(key, self._attempts())
            return known.info if known else None

    async def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        check_key(key)
        with self._in_words():
            await self._attempts().make("DeleteObject", partial(self._objects.delete, key))

    def list(self, prefix: str = "") -> AsyncGenerator[BlobInfo, None]:
        """Every object whose key starts with `prefix` (`Blobs.list`), without metadata, page by page.

        Objects whose keys are not of the port's form are somebody else's, and passed over.
        """
        check_prefix(prefix)
        return self._stream(prefix)

    def rank(self, key: str) -> tuple[int, str]:
        """Where `key` stands in a list: S3 goes by the bytes, and a key has ASCII only.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
        """
        return 0, key

    async def close(self) -> None:
        """Give back connections; the objects stay."""
        self._objects.close()
        self._pages.close()

    async def _put_if_absent(self, key: str, data: bytes, attributes: dict[str, str]) -> bool:
        """Whether this put made the object.

        S3 refuses with 412 also when an earlier attempt of ours made the object and its answer was lost. Then the
        nonce in the object's metadata tells, unless somebody replaced the object since: that one won, too.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        nonce = new_nonce()
        put = partial(self._objects.put, key, data, {**attributes, NONCE: nonce}, if_absent=True)
        attempts = self._attempts()
        while True:
            try:
                await attempts.make("PutObject", put)
            except S3Fault as fault:
                if fault.status != _PRECONDITION_FAILED:
                    raise
            else:
                return True
            if not attempts.in_doubt:
                return False
            if known := await self._known(key, attempts):
                return known.nonce == nonce
            # Gone already: whoever removed it left the key free.

    async def _known(self, key: str, attempts: Attempts) -> Known | None:
        try:
            return await attempts.make("GetObject", partial(self._objects.first_byte, key))
        except S3Fault as fault:
            if fault.status != _RANGE_NOT_SATISFIABLE:
                raise
        return await attempts.make("HeadObject", partial(self._objects.head, key))  # it has no bytes

    async def _stream(self, prefix: str) -> AsyncGenerator[BlobInfo, None]:
        token, more = "", True
        while more:
            with self._in_words():
                ask = partial(asyncio.to_thread, self._pages.page, prefix, token)
                page = await self._attempts().make("ListObjectsV2", ask)
            for info in page.infos:
                yield info
            token, more = page.token, bool(page.token)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except S3Fault as fault:
            raise BackendUnavailable(fault.line(self.place.bucket)) from fault
