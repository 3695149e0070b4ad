"""What AWS refuses, in words that name it and the mend."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from tests.unit.deploy.aws import refused

from iraas.deploy.refusals import Conflict, NotDone, Unreachable, in_words, mend
from iraas.errors import ConfigurationError, IraasError

DENIED = (
    "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: cloudformation:CreateChangeSet on "
    "resource: arn:aws:cloudformation:us-east-1:123456789012:stack/photos/* because no identity-based policy allows it"
)
CASES = {
    "no credentials": (NoCredentialsError(), ConfigurationError, "aws sso login"),
    "an unknown profile": (ProfileNotFound(profile="x"), ConfigurationError, "AWS_PROFILE"),
    "expired credentials": (refused("ExpiredToken"), ConfigurationError, "have expired; renew"),
    "an expired login": (
        TokenRetrievalError(provider="sso", error_msg="x"),
        ConfigurationError,
        "aws sso login",
    ),
    "an unknown key": (
        refused("InvalidClientTokenId"),
        ConfigurationError,
        "does not accept these credentials",
    ),
    "a wrong clock": (refused("RequestTimeTooSkewed"), ConfigurationError, "clock is wrong"),
    "a wrong clock, as STS says it": (
        refused("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than ..."),
        ConfigurationError,
        "clock is wrong",
    ),
    "a denied action": (
        refused("AccessDenied", DENIED),
        ConfigurationError,
        "you may not do cloudformation:CreateChangeSet on arn:aws:cloudformation:us-east-1:123456789012:stack/photos/*",
    ),
    "a denied action of EC2, which names none": (
        refused("UnauthorizedOperation", "You are not authorized to perform this operation.", "DescribeVpcs"),
        ConfigurationError,
        "you may not do ec2:DescribeVpcs",
    ),
    "a denied action of S3, which names none": (
        refused("AccessDenied", "Access Denied", "CreateMultipartUpload"),
        ConfigurationError,
        "you may not do s3:CreateMultipartUpload",
    ),
    "a region that is not enabled": (refused("OptInRequired"), ConfigurationError, "not enabled the region"),
    "no network": (EndpointConnectionError(endpoint_url="x"), Unreachable, "see to the network"),
    "a network that swallows": (ConnectTimeoutError(endpoint_url="x"), Unreachable, "see to the network"),
    "throttling": (refused("Throttling", "Rate exceeded"), NotDone, "slow down"),
    "throttling of EC2": (refused("RequestLimitExceeded"), NotDone, "slow down"),
    "too many stacks": (
        refused("LimitExceededException", "Limit for stack exceeded"),
        NotDone,
        "Service Quotas",
    ),
    "too many buckets": (refused("TooManyBuckets"), NotDone, "quota of this account is used up"),
    "a bucket of somebody": (refused("BucketAlreadyExists", "bucket x"), NotDone, "Take another name"),
    "a stack at work": (
        refused("ValidationError", "Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated."),
        Conflict,
        "another operation is at work",
    ),
    "a wrong template": (
        refused("ValidationError", "Template error: instance of Fn::GetAtt references undefined resource X"),
        NotDone,
        "references undefined resource X",
    ),
    "a bucket that is gone": (refused("NoSuchBucket"), NotDone, "it is not there"),
    "something new": (BotoCoreError(), NotDone, "AWS refuses (BotoCoreError"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_names_what_it_is_and_the_mend(case):
    """One line, with the code and what was being done."""
    error, kind, words = CASES[case]
    with pytest.raises(IraasError) as raised, in_words("doing a thing"):
        raise error
    assert type(raised.value) is kind
    assert words in raised.value.detail
    assert "doing a thing" in raised.value.detail
    assert "\n" not in raised.value.detail


def test_what_was_signed_is_never_quoted():
    """AWS's text of a wrong signature holds the session token; neither the line nor its causes have it."""
    secret = "x-amz-security-token:TOKEN"
    with pytest.raises(ConfigurationError) as raised, in_words("asking"):
        raise refused("SignatureDoesNotMatch", f"The Canonical String for this request: {secret}")
    assert secret not in raised.value.detail
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Resource handler returned message: ... (HandlerErrorCode: ServiceLimitExceeded)", "Service Quotas"),
        ("iraas-inputs already exists (HandlerErrorCode: AlreadyExists)", "take another name"),
        ("User: x is not authorized to perform: iam:CreateRole (HandlerErrorCode: AccessDenied)", "allowed"),
        ("The bucket you tried to delete is not empty", "--empty-buckets"),
        ("Invalid id: ami-1 (InvalidAMIID.Malformed)", "--image"),
        ("The architecture 'arm64' of the specified instance type does not match", "--architecture"),
        ("We currently do not have sufficient capacity (InsufficientInstanceCapacity)", "--instance-type"),
        ("something that nobody has seen", ""),
    ],
)
def test_a_failed_resource_has_its_mend(reason, words):
    """By the handler's error code, or by AWS's words where there is none."""
    assert words in mend(reason)
    assert bool(words) == bool(mend(reason))
