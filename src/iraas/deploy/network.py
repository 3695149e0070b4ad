"""an account's networks, what the user said -> the VPC, subnets and route tables that a stack lives in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from iraas.deploy.account import Account
from iraas.deploy.instance_types import Types
from iraas.deploy.refusals import in_words
from iraas.deploy.zones import LEAST_ZONES, check_zones, one_a_zone
from iraas.errors import ConfigurationError

_VPC = re.compile(r"vpc-[0-9a-f]{8,17}")
_SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}")
_CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/[\w-]+")


class Network(NamedTuple):
    """Where a stack lives."""

    vpc: str
    subnets: tuple[str, ...]
    zones: tuple[str, ...]  # of the subnets, each once
    route_tables: tuple[str, ...]  # of the subnets; the S3 endpoint stands in them


def find_network(
    account: Account, types: Types, vpc: str = "", subnets: Sequence[str] = (), *, endpoint: str = ""
) -> Network:
    """What was said, checked, and what was not: the default VPC, and one subnet for each zone that has these types.

    Route tables that have a way to S3 already are left out, unless it is `endpoint`: the stack's own, by its id.
    Raises `ConfigurationError` where there is none, or where balancer or instances could not stand.
    """
    check_ids(vpc, subnets)
    client = account.client("ec2")
    with in_words("looking at the network"):
        if not vpc and not subnets:
            vpc = _default_vpc(client, account.region)
        elif not vpc:
            vpc = str(_subnets(client, subnets)[0]["VpcId"])
        there = _by_id(client, vpc, account.region)
        if subnets:
            chosen = [_named(there, name, vpc) for name in subnets]
            check_zones(account, chosen, types)
        else:
            chosen = one_a_zone(account, there.values(), types)
        zones = tuple(sorted({subnet["AvailabilityZone"] for subnet in chosen}))
        if len(zones) < LEAST_ZONES:
            raise ConfigurationError(
                f"the balancer needs subnets in two zones, and {_these(chosen)} of {vpc} "
                f"{'lie' if len(chosen) > 1 else 'lies'} in {', '.join(zones) or 'none'}; "
                "name two with --subnet, or make one in another zone"
            )
        ids = tuple(subnet["SubnetId"] for subnet in chosen)
        taken = _with_endpoint(client, vpc, account.region, endpoint)
        return Network(vpc, ids, zones, tuple(sorted(_route_tables(client, vpc, ids) - taken)))


def check_ids(vpc: str, subnets: Sequence[str]) -> None:
    """Whether they can be ids at all; asks nobody. Raises `ConfigurationError`."""
    if vpc and not _VPC.fullmatch(vpc):
        raise ConfigurationError(f"--vpc {vpc!r} is no VPC's id; they look like vpc-0abc1234def567890")
    for subnet in subnets:
        if not _SUBNET.fullmatch(subnet):
            raise ConfigurationError(
                f"--subnet {subnet!r} is no subnet's id; they look like subnet-0abc1234def567890"
            )
    twice = {subnet for subnet in subnets if list(subnets).count(subnet) > 1}
    if twice:
        raise ConfigurationError(f"--subnet {', '.join(sorted(twice))} is named twice")


def check_certificate(arn: str, region: str) -> None:
    """Whether a balancer of this region can have it; asks nobody. Raises `ConfigurationError`.

    Only certificates of the balancer's own region can be used ("HTTPS listeners", load balancer user guide).
    """
    found = _CERTIFICATE.fullmatch(arn)
    if found is None:
        raise ConfigurationError(
            f"--certificate {arn!r} is no certificate's ARN; they look like "
            "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
        )
    if region and found["region"] != region:
        raise ConfigurationError(
            f"the certificate is of {found['region']}, and the stack of {region}: request one in {region} "
            f"(`aws acm request-certificate --region {region}`), or deploy with --region {found['region']}"
        )


def _default_vpc(client: Any, region: str) -> str:
    found = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not found:
        raise ConfigurationError(
            f"there is no default VPC in {region}: make it with `aws ec2 create-default-vpc --region {region}`, "
            "or name yours with --vpc and --subnet"
        )
    return str(found[0]["VpcId"])


def _by_id(client: Any, vpc: str, region: str) -> dict[str, Any]:
    if not client.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Vpcs"]:
        raise ConfigurationError(f"there is no {vpc} in {region}; correct --vpc or --region")
    pages = client.get_paginator("describe_subnets").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return {subnet["SubnetId"]: subnet for page in pages for subnet in page["Subnets"]}


def _subnets(client: Any, subnets: Sequence[str]) -> list[Any]:
    found: list[Any] = client.describe_subnets(Filters=[{"Name": "subnet-id", "Values": list(subnets)}])[
        "Subnets"
    ]
    if not found:
        raise ConfigurationError(
            f"there is no {', '.join(subnets)} in this region; correct --subnet or --region"
        )
    return found


def _named(there: dict[str, Any], subnet: str, vpc: str) -> Any:
    if subnet not in there:
        raise ConfigurationError(f"{subnet} is no subnet of {vpc}; correct --subnet, or say its --vpc")
    return there[subnet]


def _with_endpoint(client: Any, vpc: str, region: str, ours: str) -> set[str]:
    """Route tables that have a gateway to S3 from somebody else; a table takes one ("Gateway endpoints", VPC guide).

    Ours is told by its id: CloudFormation did not always tag endpoints (cloudformation-coverage-roadmap #196).
    """
    found = client.describe_vpc_endpoints(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": "vpc-endpoint-type", "Values": ["Gateway"]},
            {"Name": "service-name", "Values": [f"com.amazonaws.{region}.s3"]},
        ]
    )["VpcEndpoints"]
    return {table for one in found if one["VpcEndpointId"] != ours for table in one.get("RouteTableIds", [])}


def _route_tables(client: Any, vpc: str, subnets: Sequence[str]) -> set[str]:
    """Those of the subnets; a subnet that has none of its own uses the VPC's main one."""
    tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    by_subnet: dict[str, str] = {}
    main = ""
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("Main"):
                main = table["RouteTableId"]
            elif association.get("SubnetId"):
                by_subnet[association["SubnetId"]] = table["RouteTableId"]
    return {by_subnet.get(subnet, main) for subnet in subnets} - {""}


def _these(subnets: Sequence[Any]) -> str:
    return ", ".join(subnet["SubnetId"] for subnet in subnets) or "no subnet"
