"""bucket, region, endpoint -> URLs; botocore's chain of credentials -> the keys to sign with, now."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import NamedTuple
from urllib.parse import urlsplit

from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from iraas.blobs.s3_fault import NoKeys
from iraas.errors import ConfigurationError

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,32}")
_ENDPOINT = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?/?")


class Place(NamedTuple):
    """Where a bucket is."""

    bucket: str
    region: str
    endpoint: str  # without the bucket
    virtual: bool  # whether the bucket stands in the host's name

    @property
    def url(self) -> str:
        """The bucket's, without a slash at its end."""
        if not self.virtual:
            return f"{self.endpoint}/{self.bucket}"
        scheme, host = urlsplit(self.endpoint)[:2]
        return f"{scheme}://{self.bucket}.{host}"


def place(bucket: str, region: str, endpoint: str) -> Place:
    """AWS's own place, unless `endpoint` names another. Raises `ConfigurationError` for what makes no URL."""
    if not _BUCKET.fullmatch(bucket):
        raise ConfigurationError(
            f"{bucket!r} is not a bucket's name: 3 to 63 of a-z 0-9 . -, beginning and ending with a-z 0-9"
        )
    if not _REGION.fullmatch(region):
        raise ConfigurationError(f"{region!r} is not an AWS region; they read like eu-west-1")
    if endpoint:
        if not _ENDPOINT.fullmatch(endpoint):
            raise ConfigurationError(
                f"{endpoint!r} is not an endpoint of S3; they read like https://HOST:PORT"
            )
        return Place(bucket, region, endpoint.rstrip("/"), virtual=False)
    # https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Beijing.html
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    # A certificate for *.s3.<region> does not cover a name with dots before it:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    return Place(bucket, region, f"https://s3.{region}.{domain}", virtual="." not in bucket)


class Keys:
    """The credentials of a session, for any thread; botocore renews them in time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None

    async def now(self) -> ReadOnlyCredentials:
        """What to sign with. Raises `NoKeys`."""
        if self._is_at_hand():
            return self.found()
        return await asyncio.to_thread(self.found)

    def found(self) -> ReadOnlyCredentials:
        """The same, waiting for the network in the calling thread where that must be asked."""
        try:
            with self._lock:  # finding them may ask a machine's metadata: once
                self._credentials = self._credentials or self._session.get_credentials()
            found = self._credentials.get_frozen_credentials() if self._credentials else None
        except (BotoCoreError, RuntimeError) as error:
            raise NoKeys(type(error).__name__) from None
        if found is None or not found.access_key or not found.secret_key:
            raise NoKeys("NoCredentials")
        return found

    def _is_at_hand(self) -> bool:
        credentials = self._credentials
        if isinstance(credentials, RefreshableCredentials):
            return not credentials.refresh_needed()
        return credentials is not None
