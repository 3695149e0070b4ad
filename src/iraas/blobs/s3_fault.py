"""What S3 answered, or that it did not -> a fault: whether to try again, and one line in our own words.

The libraries' texts quote what was sent and answered. S3 repeats in `SignatureDoesNotMatch` what was signed, a
session token with it; so a line is made of status and code alone, and the first error is no cause of ours.
"""

from __future__ import annotations

import re
from http import HTTPStatus

NOT_CONNECTED = "no connection"
NOT_IN_TIME = "no answer in time"
BROKEN = "the connection broke"

_STATUS = re.compile(r"status code: (\d{3})")  # obstore writes so
_KIND = re.compile(r"kind: (Connect|Timeout)")
_CODE = re.compile(r"<Code>([A-Za-z0-9_.]{1,64})</Code>")
_REGION = re.compile(r"<Region>([a-z0-9-]{1,32})</Region>")
_BARE_REDIRECT = "redirect without LOCATION"

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
MISSING_BUCKET = frozenset({"NoSuchBucket", "InvalidBucketName"})
WRONG_REGION = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
EXPIRED = frozenset(
    {
        "ExpiredToken",
        "RequestExpired",
        "RuntimeError",  # botocore's, when what it was given in place of expired ones has expired, too
        "SSOTokenLoadError",
        "TokenRefreshRequired",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
CLOCK = frozenset({"RequestTimeTooSkewed"})
UNKNOWN_KEY = frozenset({"InvalidAccessKeyId", "InvalidToken", "InvalidSecurity", "SignatureDoesNotMatch"})
_PASSING = frozenset(
    {
        "BadDigest",  # not what was sent: it came to harm on the way
        "BandwidthLimitExceeded",
        "ConditionalRequestConflict",
        "IncompleteBody",
        "KMS.ThrottlingException",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        "XAmzContentSHA256Mismatch",
    }
)
_PASSING_STATUS = frozenset(
    {0, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}
)

ACTIONS = {
    "PutObject": "s3:PutObject",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
}


class S3Fault(Exception):
    """A request without its effect, as far as is known. `status` is 0 where S3 did not answer."""

    def __init__(self, code: str, status: int = 0, *, region: str = "") -> None:
        super().__init__(code, status)
        self.code = code  # AWS's, or words of ours
        self.status = status
        self.region = region  # where the bucket is, when S3 says so
        self.operation = ""  # S3's name of it

    @property
    def passing(self) -> bool:
        """Whether the same request may well succeed a moment later."""
        return (
            self.status in _PASSING_STATUS
            or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            or self.code in _PASSING
        )

    @property
    def in_doubt(self) -> bool:
        """Whether the request may have had its effect all the same."""
        return self.status == 0 or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_absence(self) -> bool:
        """Whether the object is not there; the bucket is."""
        return self.status == HTTPStatus.NOT_FOUND and self.code == "NoSuchKey"

    def line(self, bucket: str) -> str:
        """What happened, for a person."""
        said = f"S3: {self.operation} on {bucket}: {self.code}"
        if self.code in MISSING_BUCKET:
            return f"{said}; there is no such bucket"
        if self.code in WRONG_REGION:
            return f"{said}; the bucket is in {self.region or 'another region'}"
        if self.is_denied:
            return f"{said}; {self.denied}"
        return said

    @property
    def is_denied(self) -> bool:
        """Whether it is the caller who may not."""
        return self.status == HTTPStatus.FORBIDDEN and self.code not in EXPIRED | CLOCK | UNKNOWN_KEY

    @property
    def denied(self) -> str:
        """Which action. A read of an absent object is denied where `s3:ListBucket` is.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        action = ACTIONS[self.operation]
        if action == "s3:GetObject":
            return f"{action} is denied, or the object is absent and s3:ListBucket is denied"
        return f"{action} is denied"


class NoKeys(S3Fault):
    """There are no credentials to sign with; `code` is what botocore calls the reason, or `NoCredentials`."""

    passing = False
    in_doubt = False

    def line(self, bucket: str) -> str:
        """What happened, for a person."""
        return f"{super().line(bucket)}; there are no credentials to sign with"


def from_obstore(error: BaseException) -> S3Fault:
    """What obstore says of a request, in a text for people."""
    text = str(error)
    if status := _STATUS.search(text):
        return from_answer(int(status[1]), text)
    if _BARE_REDIRECT in text:
        return S3Fault("PermanentRedirect", HTTPStatus.MOVED_PERMANENTLY)
    kind = _KIND.search(text)
    return S3Fault({"Connect": NOT_CONNECTED, "Timeout": NOT_IN_TIME}[kind[1]] if kind else BROKEN)


def from_answer(status: int, body: str, *, region: str = "") -> S3Fault:
    """What S3 itself says, in XML."""
    code = _CODE.search(body)
    told = _REGION.search(body)
    name = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "an unknown status"
    return S3Fault(
        code[1] if code else f"{status} {name}", status, region=region or (told[1] if told else "")
    )
