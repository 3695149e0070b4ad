"""what AWS or the way to it refused -> one line that names it, and the mend.

Codes of services: their "Common errors" pages; of resources in a stack's events: "Handler error codes" in the
CloudFormation CLI user guide. AWS's text of a signature's refusal may hold what was signed, so that is never quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from iraas.errors import ConfigurationError, IraasError

AGAIN = "run the command again; it goes on from where it is"

DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "403",  # HEAD on S3 has no body to say more
    "Forbidden",
}
EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "SSOTokenLoadError",
    "TokenRefreshRequired",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
}
CLOCK = {"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"}
UNKNOWN_KEY = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
NO_CREDENTIALS = {
    "CredentialRetrievalError",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NoAuthTokenError",
    "NoCredentialsError",
    "PartialCredentialsError",
}
UNREACHABLE = {
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "EndpointConnectionError",
    "HTTPClientError",
    "ProxyConnectionError",
    "ReadTimeoutError",
    "ResponseStreamingError",
    "SSLError",
}
THROTTLED = {
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
QUOTA = re.compile(r"LimitExceeded|QuotaExceeded|^TooMany(?!Requests)|Insufficient\w*Capacity|InstanceLimit")
_ACTION = re.compile(r"not authorized to perform:? `?([\w-]+:\w+)")
_RESOURCE = re.compile(r"on resource:? ?(arn:\S+|\S+:\S+)")
_SIGNED_LATE = re.compile(r"Signature (?:expired|not yet current)")  # the text of a code that says less


class Unreachable(IraasError):
    """AWS does not answer."""

    retryable = True


class NotDone(IraasError):
    """AWS did not do what was asked; exit code 1."""


class Conflict(NotDone):
    """Another operation is at work on the same thing."""


@contextmanager
def in_words(doing: str) -> Iterator[None]:
    """Have the SDK's errors in words: `ConfigurationError`, `NotDone` or `Unreachable`, with `doing` in them."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        # Not as a cause: its text may quote what was signed.
        raise refusal(error, doing) from None


def code_of(error: Exception) -> str:
    """AWS's code where there is one, else what the SDK calls it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and response.get("Error", {}).get("Code"):
        return str(response["Error"]["Code"])
    return type(error).__name__


def text_of(error: Exception) -> str:
    """AWS's own words."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Message", "")) if isinstance(response, dict) else ""


def refusal(error: Exception, doing: str) -> IraasError:
    """The error that the user reads."""
    code, text = code_of(error), text_of(error)
    if code in CLOCK or (code in UNKNOWN_KEY | {"AccessDenied"} and _SIGNED_LATE.match(text)):
        return ConfigurationError(
            f"this machine's clock is wrong by more than AWS allows ({code}, {doing}); set it, and {AGAIN}"
        )
    about_access = _about_access(code)
    if about_access:
        return ConfigurationError(f"{about_access} ({code}, {doing})")
    if code in DENIED:
        return ConfigurationError(_denied(error, code, text, doing))
    if code in UNREACHABLE:
        return Unreachable(f"AWS cannot be reached ({code}, {doing}); see to the network, and {AGAIN}")
    return _of_the_request(code, text, doing)


def _about_access(code: str) -> str:
    if code in NO_CREDENTIALS:
        return (
            "no AWS credentials were found; run `aws configure` or `aws sso login`, set AWS_PROFILE, "
            "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if code in EXPIRED:
        return f"the AWS credentials have expired; renew them (`aws sso login`), and {AGAIN}"
    if code in UNKNOWN_KEY:
        return "AWS does not accept these credentials; check key, secret and token"
    if code == "ProfileNotFound":
        return "there is no such AWS profile; correct AWS_PROFILE, or make it with `aws configure --profile`"
    if code in {"NoRegionError", "InvalidRegionError"}:
        return "no AWS region of this name is known; say --region, or set AWS_REGION"
    if code in {"UnknownEndpoint", "OptInRequired"}:
        return (
            "this account has not enabled the region; enable it in the console (AWS Regions), or take another"
        )
    return ""


def _denied(error: Exception, code: str, text: str, doing: str) -> str:
    action, resource = _ACTION.search(text), _RESOURCE.search(text)
    name = action[1] if action else f"{_service(error)}:{getattr(error, 'operation_name', '?')}"
    on = f" on {resource[1].rstrip('.,')}" if resource else ""
    return f"you may not do {name}{on} ({code}, {doing}); have it allowed for your user or role, and {AGAIN}"


def _service(error: Exception) -> str:
    """The service of an operation that the SDK names; S3's are told by their names, EC2's by the code."""
    operation = str(getattr(error, "operation_name", ""))
    if re.search(r"Object|Bucket|Upload|Part", operation):
        return "s3"
    return "ec2" if code_of(error) == "UnauthorizedOperation" else "aws"


def _of_the_request(code: str, text: str, doing: str) -> IraasError:
    if code in THROTTLED:
        return NotDone(
            f"AWS asks to slow down, longer than the SDK waits ({code}, {doing}); wait a minute, and {AGAIN}"
        )
    if QUOTA.search(code):
        return NotDone(f"a quota of this account is used up ({code}, {doing}): {_line(text)} {RAISE}")
    if code in {"BucketAlreadyExists", "BucketAlreadyOwnedByYou", "AlreadyExistsException"}:
        return NotDone(f"the name is taken ({code}, {doing}): {_line(text)} Take another name")
    if code == "OperationInProgressException" or "_IN_PROGRESS state" in text:
        return Conflict(
            f"another operation is at work ({code}, {doing}): {_line(text)} When it has ended, {AGAIN}"
        )
    if code in {"NoSuchBucket", "NoSuchKey", "NoSuchUpload", "404"}:
        return NotDone(f"it is not there ({code}, {doing}); {AGAIN}")
    return NotDone(f"AWS refuses ({code}, {doing}): {_line(text)}".rstrip(": "))


RAISE = "Raise it in the console (Service Quotas), or ask for less (--max, --web-max, --instance-type)"


def _line(text: str) -> str:
    """AWS's words as one line that ends in a full stop."""
    words = " ".join(text.split())
    return words if not words or words.endswith((".", "!", "?")) else f"{words}."


def mend(reason: str) -> str:
    """What can be done when a resource of a stack failed, from the reason in its event; empty: nothing is known."""
    for pattern, words in _MENDS:
        if re.search(pattern, reason, re.IGNORECASE):
            return words
    return ""


_MENDS = (
    (r"cancelled", "another resource failed first"),
    (r"ServiceLimitExceeded|LimitExceeded|quota|maximum number of|TooMany|vCPU limit", RAISE),
    (
        r"InsufficientInstanceCapacity|insufficient.*capacity",
        "take another --instance-type, or more --subnet zones",
    ),
    (r"QueueDeletedRecently|wait 60 seconds|OperationAborted|conflicting", "wait a minute, and run it again"),
    (
        r"AlreadyExists|already exists|already own|already taken",
        "take another name, or remove what has it",
    ),
    (
        r"AccessDenied|not authorized|UnauthorizedOperation|Forbidden",
        "have the action allowed that is named, for you",
    ),
    (r"service-linked role", "have iam:CreateServiceLinkedRole allowed, once for this account"),
    (r"InvalidAMI|image id|ImageId", "--image: an AMI of this region and of the --architecture"),
    (r"architecture", "--instance-type must be of the --architecture"),
    (r"certificate", "--certificate: an issued certificate of this region"),
    (
        r"subnet|Availability Zone",
        "--subnet: at least two, in two zones of the --vpc, with a way to the internet",
    ),
    (r"VPC|vpc-", "--vpc: one of this region"),
    (r"bucket.*not empty|BucketNotEmpty", "`iraas destroy --empty-buckets` empties it"),
    (
        r"Throttling|Rate exceeded|ServiceInternalError|NotStabilized|timed out",
        "wait a little, and run it again",
    ),
)
