"""The templates that are shipped -> stacks of them, with REGION, ACCOUNT and STACK where their own would stand."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from iraas.deploy.template import IMAGE, read_template, service_template
from tests.rig.template import Stack, resolve

GIVEN = {  # what has no default, and a way in
    "Vpc": "vpc-1",
    "Subnets": "subnet-1,subnet-2",
    "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/1",
    "ApiKeys": "ann:" + "a" * 64,
    "Release": "releases/iraas-0.1.0-x86_64-0123456789ab.tar",
    "ReleaseSha256": "b" * 64,
}
FOR_IMAGE = {
    **{name: GIVEN[name] for name in ("Vpc", "Release", "ReleaseSha256")},
    "Subnet": "subnet-1",
    "ArtifactsBucket": "STACK-ACCOUNT-artifacts",
}
PSEUDO = {
    "AWS::AccountId": "ACCOUNT",
    "AWS::Partition": "aws",
    "AWS::Region": "REGION",
    "AWS::StackName": "STACK",
    "AWS::URLSuffix": "amazonaws.com",
}
TIERS = {"web": "Web", "app": "App"}

_QUEUES = {"RequestQueue": "requests", "DeadLetterQueue": "dead-letters"}
_BUCKETS = {"InputBucket": "inputs", "ResultBucket": "results", "ArtifactsBucket": "artifacts"}
_REFS = {
    "AppGroup": "STACK-app",
    "WebGroup": "STACK-web",
    "LogGroup": "/iraas/STACK",
    "ApiKeysSecret": "arn:aws:secretsmanager:REGION:ACCOUNT:secret:STACK-api-keys-abcdef",
}
_ARNS = {"LogGroup": "arn:aws:logs:REGION:ACCOUNT:log-group:/iraas/STACK:*"}  # AWS gives it with `:*`


read = cache(read_template)  # nobody changes what it gives


def names(logical: str, attribute: str | None) -> Any:
    """What AWS would call a resource: its Ref, or an attribute."""
    if queue := _QUEUES.get(logical):
        address = {
            None: f"https://sqs.REGION.amazonaws.com/ACCOUNT/STACK-{queue}",
            "QueueName": f"STACK-{queue}",
        }
        return address.get(attribute, f"arn:aws:sqs:REGION:ACCOUNT:STACK-{queue}")
    if bucket := _BUCKETS.get(logical):
        return f"STACK-ACCOUNT-{bucket}" if attribute is None else f"arn:aws:s3:::STACK-ACCOUNT-{bucket}"
    if attribute is None:
        return _REFS.get(logical, logical)
    return _ARNS.get(logical, f"{logical}.{attribute}") if attribute == "Arn" else f"{logical}.{attribute}"


def service(template: str | None = None, **parameters: str) -> Stack:
    """The service's stack with these parameters, and with `GIVEN`."""
    document = read(template or service_template())
    return resolve(document, names=names, parameters={**GIVEN, **parameters}, pseudo=PSEUDO)


def image(**parameters: str) -> Stack:
    """The image's stack."""
    return resolve(
        read(IMAGE.read_text()), names=names, parameters={**FOR_IMAGE, **parameters}, pseudo=PSEUDO
    )


def user_data(stack: Stack, tier: str) -> str:
    """The script that a tier's instances run when they boot."""
    launch = stack.resources[f"{TIERS[tier]}LaunchTemplate"].properties["LaunchTemplateData"]
    return base64.b64decode(launch["UserData"]).decode()
