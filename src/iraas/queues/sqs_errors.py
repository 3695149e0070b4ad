"""botocore's errors -> ours, and what AWS's codes mean. No error of ours quotes AWS's text.

That text may hold what was signed, the session token among it (`SignatureDoesNotMatch` does); the code tells
as much to whoever must mend it. For the same reason the first error is not kept as a cause.
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from iraas.errors import BackendUnavailable, QueueVanished

VANISHED = {"NonExistentQueue", "QueueDoesNotExist"}
# A handle that never was is `ReceiptHandleIsInvalid`, one that went stale `InvalidParameterValue` ("The receipt
# handle has expired", "Message does not exist or is not available for visibility timeout change"): seen in
# https://github.com/aws/aws-sdk-java/issues/1628 and https://github.com/mapbox/ecs-watchbot/issues/135. That of
# a message that is visible again is `MessageNotInflight` (ChangeMessageVisibility in the API reference), and
# DeleteMessage takes any old one in silence (its page there).
STALE = {"InvalidIdFormat", "InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "KmsAccessDenied"}
EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
}
UNKNOWN_KEY = {
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
NO_CREDENTIALS = {
    "CredentialRetrievalError",
    "MetadataRetrievalError",
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
    "SSLError",
    "TimeoutError",
}
ABOUT_ACCESS = DENIED | EXPIRED | UNKNOWN_KEY | NO_CREDENTIALS


class Refusal(Exception):
    """SQS, or the way to it, did not do what was asked."""

    def __init__(self, operation: str, queue: str, code: str) -> None:
        self.operation = operation
        self.queue = queue  # its name
        self.code = code.rpartition(".")[2]  # AWS writes `QueueDoesNotExist` and `AWS.SimpleQueueService.…`
        super().__init__(f"SQS: {operation}{queue and f' on {queue}'}: {self.code}")

    @property
    def is_about_access(self) -> bool:
        """Whether who asks is at fault, not what is asked."""
        return self.code in ABOUT_ACCESS or self.code.startswith("Kms")

    def translated(self) -> BackendUnavailable:
        """The error that the queue's port speaks of."""
        kind = QueueVanished if self.code in VANISHED else BackendUnavailable
        return kind(str(self))


def code_of(error: Exception) -> str:
    """AWS's code where there is one (`RequestThrottled`, or an HTTP status), else what botocore calls it."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "unknown")
    return type(error).__name__
