"""key -> one request to S3 and its outcome, by obstore."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

import obstore
from botocore.credentials import ReadOnlyCredentials
from botocore.session import Session
from obstore.exceptions import BaseError
from obstore.store import S3Store

from iraas.blobs.port import Blob, BlobInfo
from iraas.blobs.s3_ending import begin, wait_at_exit
from iraas.blobs.s3_fault import BROKEN, S3Fault, from_obstore
from iraas.blobs.s3_metadata import NONCE, metadata_of
from iraas.blobs.s3_place import Keys, Place
from iraas.errors import ConfigurationError, ImageTooLarge

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, PutMode
    from obstore.store import ClientConfig, S3Config, S3Credential

CONNECT_TIMEOUT = "2s"
TIMEOUT = "4s"  # of one attempt, from its beginning to the body's end: a picture of 10 MB needs 20 Mbit/s

_NOT_FOUND = 404
_FIRST_BYTE = (0, 1)

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Known(NamedTuple):
    """What is known of an object, and which put if absent made it: empty when none did."""

    info: BlobInfo
    nonce: str


class Objects:
    """The objects of one bucket. Every method raises `S3Fault`.

    `encryption`: empty for the bucket's own default, `AES256`, or `aws:kms`, with `kms_key` or with AWS's own.
    Raises `ConfigurationError` for an encryption or authorities that cannot be.
    """

    def __init__(
        self, place: Place, keys: Keys, session: Session, *, max_bytes: int, encryption: str, kms_key: str
    ) -> None:
        wait_at_exit()
        self._keys = keys
        self._max_bytes = max_bytes
        self._store: tuple[ReadOnlyCredentials, S3Store] | None = None
        self._config: S3Config = {
            "bucket": place.bucket,
            "region": place.region,
            # Named twice: obstore prefers the second one, and would read it from the environment.
            "endpoint": place.url if place.virtual else place.endpoint,
            "aws_endpoint_url_s3": place.url if place.virtual else place.endpoint,
            "virtual_hosted_style_request": place.virtual,
            # S3 compares what arrived with this sum, and keeps it. It takes a quarter of the time of SHA-256, and is
            # what AWS's own SDKs send: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
            "checksum_algorithm": "CRC64NVME",
            "unsigned_payload": True,  # TLS guards the way
            "skip_signature": False,
            "disable_bulk_delete": True,  # DeleteObjects bills and is allowed apart
        }
        if encryption:
            self._config["server_side_encryption"] = encryption
        if kms_key:
            self._config["sse_kms_key_id"] = kms_key
        self._options: ClientConfig = {
            "allow_http": place.endpoint.startswith("http://"),
            "connect_timeout": CONNECT_TIMEOUT,
            "timeout": TIMEOUT,
        }
        if authorities := session.get_config_variable("ca_bundle"):
            self._options["root_certificate"] = _authorities(Path(authorities))

    async def put(
        self, key: str, data: bytes, attributes: Mapping[str, str], *, if_absent: bool = False
    ) -> None:
        """Store an object. With `if_absent`, the fault's status is 412 where one is there."""
        mode: PutMode = "create" if if_absent else "overwrite"
        kept = dict(attributes)
        await self._answer(
            lambda store: obstore.put_async(store, key, data, attributes=kept, mode=mode, use_multipart=False)
        )

    async def get(self, key: str) -> Blob | None:
        """The object. Raises `ImageTooLarge`, before it is read, when it has more than `max_bytes`."""
        result = await self._found(key)
        if result is None:
            return None
        info = _known(key, result).info
        if info.size > self._max_bytes:
            raise ImageTooLarge(f"an object of {info.size} bytes; {self._max_bytes} are the most")
        data = bytes(await _said(result.bytes_async))
        if len(data) != info.size:
            raise S3Fault(BROKEN)
        return Blob(data, info)

    async def first_byte(self, key: str) -> Known | None:
        """What is known of an object; the fault's status is 416 where that has no bytes.

        A GET of one byte, since the answer to a failed HEAD has no body, and thus no code: a missing bucket
        would look like an absent object. The price is the same.
        """
        result = await self._found(key, {"range": _FIRST_BYTE})
        if result is None:
            return None
        await _said(result.bytes_async)  # or the connection could not be used again
        return _known(key, result)

    async def head(self, key: str) -> Known | None:
        """What is known of an object; a missing bucket looks like an absent one."""
        try:
            result = await self._answer(lambda store: obstore.get_async(store, key, options={"head": True}))
        except S3Fault as fault:
            if fault.status == _NOT_FOUND:
                return None
            raise
        return _known(key, result)

    async def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        try:
            await self._answer(lambda store: obstore.delete_async(store, key))
        except S3Fault as fault:
            if not fault.is_absence:
                raise

    def close(self) -> None:
        """Give back the connections."""
        self._store = None

    async def _found(self, key: str, options: GetOptions | None = None) -> GetResult | None:
        try:
            return await self._answer(lambda store: obstore.get_async(store, key, options=options))
        except S3Fault as fault:
            if fault.is_absence:
                return None
            raise

    async def _answer(self, ask: Callable[[S3Store], Awaitable[_T]]) -> _T:
        return await _said(ask, self._signing(await self._keys.now()))

    def _signing(self, credentials: ReadOnlyCredentials) -> S3Store:
        """The store for these credentials; a new one, with connections of its own, once they were renewed."""
        if self._store is None or self._store[0] != credentials:
            self._store = credentials, self._make(credentials)
        return self._store[1]

    def _make(self, credentials: ReadOnlyCredentials) -> S3Store:
        keys: S3Credential = {
            "access_key_id": credentials.access_key,
            "secret_access_key": credentials.secret_key,
            "token": credentials.token or None,
            "expires_at": None,
        }
        try:
            return S3Store(
                config=self._config,
                client_options=self._options,
                retry_config={"max_retries": 0},  # `Attempts` tries again, and knows that it did
                credential_provider=lambda: keys,  # as settings they would mix with the environment's
            )
        except BaseError:
            raise ConfigurationError(
                f"no client for S3 can be made with the encryption "
                f"{self._config.get('server_side_encryption', '')!r} and the authorities of AWS_CA_BUNDLE"
            ) from None


def _authorities(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the authorities of AWS_CA_BUNDLE cannot be read: {file}: {error.strerror}"
        ) from error


async def _said(call: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What obstore says. Raises `S3Fault`."""
    try:
        return await begin(call, *args, **kwargs)
    except (BaseError, FileNotFoundError) as error:
        fault = from_obstore(error)
    raise fault  # out here, so that the library's text is no part of it


def _known(key: str, result: GetResult) -> Known:
    meta, attributes = result.meta, result.attributes
    info = BlobInfo(key, meta["size"], meta["last_modified"].timestamp(), metadata_of(attributes))
    return Known(info, attributes.get(NONCE, ""))
