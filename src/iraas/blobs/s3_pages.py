"""prefix -> one page of a bucket's list, in its order.

obstore's own list takes the slash from the ends of keys, so that another's folder marker looks like an object
of ours, and fails as a whole where it meets a key such as `a//b`. botocore's takes 50 core-ms for a page, most
of it for dates. Here botocore signs and carries, and the rest is a look into the XML: some 5 ms.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, unquote, urlencode
from xml.etree import ElementTree as ET

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from botocore.utils import get_environ_proxies

from iraas.blobs.keys import check_key
from iraas.blobs.port import BlobInfo
from iraas.blobs.s3_fault import BROKEN, NOT_CONNECTED, NOT_IN_TIME, S3Fault, from_answer
from iraas.blobs.s3_place import Keys, Place

CONNECT_SECONDS = 2.0
READ_SECONDS = 4.0
_OK = 200


class Page(NamedTuple):
    """Some objects, and where to go on: empty at the end."""

    infos: list[BlobInfo]
    token: str


class Pages:
    """The list of a bucket, for any thread."""

    def __init__(self, place: Place, keys: Keys, session: Session) -> None:
        self._place = place
        self._keys = keys
        self._http = URLLib3Session(
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            proxies=get_environ_proxies(place.url),
            verify=session.get_config_variable("ca_bundle") or True,
        )

    def page(self, prefix: str, token: str) -> Page:
        """A thousand objects at most; with the empty prefix only those with keys of one part. Raises `S3Fault`."""
        asked = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
        if not prefix:
            asked["delimiter"] = "/"  # S3 itself skips what lies in folders
        if token:
            asked["continuation-token"] = token
        body = self._get(urlencode(sorted(asked.items()), quote_via=quote, safe=""))
        try:
            root = ET.fromstring(body)  # noqa: S314 - from S3; and expat bounds what entities make
        except ET.ParseError:
            raise S3Fault(BROKEN) from None
        space = root.tag.removesuffix("ListBucketResult")
        if space == root.tag:  # S3 may begin with 200 and end with an error
            raise from_answer(500, body.decode(errors="replace"))
        infos = []
        for entry in root.iter(f"{space}Contents"):
            facts = {fact.tag.removeprefix(space): fact.text or "" for fact in entry}
            key = unquote(facts["Key"])
            if _is_ours(key):
                infos.append(BlobInfo(key, int(facts["Size"]), _seconds(facts["LastModified"]), {}))
        return Page(infos, root.findtext(f"{space}NextContinuationToken") or "")

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _get(self, query: str) -> bytes:
        request = AWSRequest("GET", f"{self._place.url}/?{query}")
        S3SigV4Auth(self._keys.found(), "s3", self._place.region).add_auth(request)
        try:
            answer = self._http.send(request.prepare())
            body: bytes = answer.content
        except (EndpointConnectionError, ConnectTimeoutError, SSLError):
            raise S3Fault(NOT_CONNECTED) from None
        except ReadTimeoutError:
            raise S3Fault(NOT_IN_TIME) from None
        except BotoCoreError:
            raise S3Fault(BROKEN) from None
        if answer.status_code != _OK:
            region = answer.headers.get("x-amz-bucket-region", "")
            raise from_answer(answer.status_code, body.decode(errors="replace"), region=region)
        return body


def _is_ours(key: str) -> bool:
    try:
        check_key(key)
    except ValueError:
        return False
    return True


def _seconds(time: str) -> float:
    """Whole ones, as the header `Last-Modified` has them."""
    return float(int(datetime.fromisoformat(time).timestamp()))
