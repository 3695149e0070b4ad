"""Where a stack is put, and what is refused before CloudFormation sees it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.deploy.offers import OURS

from iraas.deploy.network import check_certificate, check_ids, find_network
from iraas.errors import ConfigurationError

VPC, OTHER = "vpc-0000000a", "vpc-0000000b"


def subnet(number: int, zone: str, *, default: bool = False, vpc: str = VPC) -> dict[str, Any]:
    return {
        "SubnetId": f"subnet-{number:08x}",
        "AvailabilityZone": zone,
        "DefaultForAz": default,
        "VpcId": vpc,
    }


class Ec2:
    """A region with one default VPC, until told otherwise."""

    def __init__(self, aws: Any) -> None:
        self.default: list[str] = [VPC]
        self.vpcs = [VPC, OTHER]
        self.subnets = [subnet(1, "us-east-1a", default=True), subnet(2, "us-east-1b", default=True)]
        self.tables: list[dict[str, Any]] = [{"RouteTableId": "rtb-main", "Associations": [{"Main": True}]}]
        self.endpoints: list[dict[str, Any]] = []
        aws.on("ec2", "DescribeVpcs", self._vpcs)
        aws.on("ec2", "DescribeSubnets", self._subnets)
        aws.on("ec2", "DescribeRouteTables", lambda **_: {"RouteTables": self.tables})
        aws.on("ec2", "DescribeVpcEndpoints", lambda **_: {"VpcEndpoints": self.endpoints})

    def _vpcs(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        [only] = Filters
        found = (
            self.default if only["Name"] == "is-default" else [v for v in self.vpcs if v in only["Values"]]
        )
        return {"Vpcs": [{"VpcId": one} for one in found]}

    def _subnets(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        [only] = Filters
        key = {"vpc-id": "VpcId", "subnet-id": "SubnetId"}[only["Name"]]
        return {"Subnets": [one for one in self.subnets if one[key] in only["Values"]]}


@pytest.fixture
def ec2(aws, offers):
    return Ec2(aws)


def find(aws, *said: Any, **more: str):
    return find_network(aws.account(), OURS, *said, **more)


def test_unless_told_it_is_the_default_vpc_with_a_subnet_in_each_zone(aws, ec2):
    """A zone's default subnet is taken before others, and each zone once."""
    ec2.subnets.insert(0, subnet(0, "us-east-1a"))
    found = find(aws)
    assert found.vpc == VPC
    assert found.subnets == ("subnet-00000001", "subnet-00000002")
    assert found.zones == ("us-east-1a", "us-east-1b")
    assert found.route_tables == ("rtb-main",)


def test_a_zone_without_the_types_is_left_out_also_of_a_vpc_that_is_named(aws, ec2, offers):
    """Subnets that are named are taken as they are, as long as something can start there."""
    ec2.subnets.append(subnet(3, "us-east-1e", default=True))
    offers.zones["us-east-1e"] = "availability-zone"
    offers.lacking["us-east-1e"] = {"t3.small"}
    assert find(aws).zones == find(aws, VPC).zones == ("us-east-1a", "us-east-1b")
    named = ("subnet-00000001", "subnet-00000003")
    assert find(aws, VPC, named).subnets == named
    offers.lacking["us-east-1e"] = {"*"}
    with pytest.raises(ConfigurationError, match="nothing could start in subnet-00000003"):
        find(aws, VPC, named)


def test_subnets_that_are_named_bring_their_vpc(aws, ec2, offers):
    """`--subnet` alone is enough; a subnet with a table of its own needs that one."""
    offers.zones["us-east-1c"] = "availability-zone"
    ec2.subnets += [subnet(3, "us-east-1a", vpc=OTHER), subnet(4, "us-east-1c", vpc=OTHER)]
    ec2.tables.append({"RouteTableId": "rtb-own", "Associations": [{"SubnetId": "subnet-00000004"}]})
    found = find(aws, "", ("subnet-00000003", "subnet-00000004"))
    assert (found.vpc, found.route_tables) == (OTHER, ("rtb-main", "rtb-own"))


def test_a_table_that_has_a_way_to_s3_gets_no_second_one(aws, ec2):
    """AWS refuses two. The one that the stack made itself is told by its id: it may have no tags."""
    ec2.endpoints = [
        {
            "VpcEndpointId": "vpce-1",
            "RouteTableIds": ["rtb-main"],
            "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "photos"}],  # one of another day
        }
    ]
    assert find(aws).route_tables == ()
    assert find(aws, endpoint="vpce-2").route_tables == ()
    ec2.endpoints[0]["Tags"] = []
    assert find(aws, endpoint="vpce-1").route_tables == ("rtb-main",)


REFUSED = {
    "no default VPC": (lambda ec2: ec2.default.clear(), (), "aws ec2 create-default-vpc"),
    "a VPC of elsewhere": (lambda ec2: None, ("vpc-0000000c",), "there is no vpc-0000000c in us-east-1"),
    "one zone only": (
        lambda ec2: ec2.subnets.append(subnet(5, "us-east-1a")),
        (VPC, ("subnet-00000001", "subnet-00000005")),
        "lie in us-east-1a",
    ),
    "one subnet": (lambda ec2: None, (VPC, ("subnet-00000001",)), "subnets in two zones"),
    "a subnet of another VPC": (
        lambda ec2: ec2.subnets.append(subnet(6, "us-east-1c", vpc=OTHER)),
        (VPC, ("subnet-00000001", "subnet-00000006")),
        "subnet-00000006 is no subnet of vpc-0000000a",
    ),
    "a subnet that is not there": (
        lambda ec2: None,
        ("", ("subnet-0000000f",)),
        "there is no subnet-0000000f",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_network_that_will_not_do_is_refused_in_words(case, aws, ec2):
    """Before anything is made, with the flag that mends it."""
    change, said, words = REFUSED[case]
    change(ec2)
    with pytest.raises(ConfigurationError) as error:
        find(aws, *said)
    assert words in error.value.detail


@pytest.mark.parametrize(
    ("vpc", "subnets", "words"),
    [
        ("default", (), "--vpc 'default'"),
        ("", ("subnet-1",), "--subnet 'subnet-1'"),
        ("", ("subnet-00000001", "subnet-00000001"), "named twice"),
    ],
)
def test_what_is_no_id_is_refused_without_asking(vpc, subnets, words):
    """Also by a dry run."""
    with pytest.raises(ConfigurationError, match=words):
        check_ids(vpc, subnets)


def test_a_certificate_of_another_region_is_refused_before_the_call():
    """The line names both regions and both ways out."""
    arn = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    check_certificate(arn, "eu-west-1")
    check_certificate(arn, "")  # a dry run without a region
    with pytest.raises(
        ConfigurationError, match=r"of eu-west-1, and the stack of us-east-1.*--region eu-west-1"
    ):
        check_certificate(arn, "us-east-1")


@pytest.mark.parametrize(
    "arn", ["example.com", "arn:aws:iam::123456789012:server-certificate/x", "arn:aws:acm:x"]
)
def test_what_is_no_certificate_is_refused(arn):
    """With an example of one."""
    with pytest.raises(ConfigurationError, match="they look like"):
        check_certificate(arn, "us-east-1")
