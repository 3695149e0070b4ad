"""Instance types and zones, on moto's copy of what AWS says of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.doubles.moto_cloudformation import MotoCloudFormation
from tests.integration.deploy.cloud import Cloud, account


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An account in us-east-1 with a default subnet in each of its six zones."""
    with MotoCloudFormation() as moto, account(moto, tmp_path_factory.mktemp("moto")) as found:
        yield found


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--instance-type", "m5.mega"), "us-east-1 does not offer m5.mega: take another --instance-type"),
        (("--web-instance-type", "c5.xlarge"), "c5.xlarge cannot run with one core"),
        (("--web-instance-type", "t2.micro"), "take another --web-instance-type, as t3.micro"),
    ],
)
def test_types_that_will_not_do_are_refused(words, line, cloud):
    """What is not offered, and what cannot run with one core; the line names some that will do."""
    said = cloud.deploy("--http", *words)
    assert said.code == 2
    assert line in said.err
    assert said.err.count("\n") == 1


def test_a_zone_without_our_types_is_left_out(cloud):
    """One of us-east-1's zones has a default subnet, and no t3, c7i, m7i, c6i or m6i."""
    said = cloud.deploy("--http")
    assert said.code == 0, said.err
    chosen = cloud.parameters()["Subnets"]
    there = cloud.ask("ec2", "describe_subnets")["Subnets"]
    assert len(there) == 6
    assert [one["AvailabilityZone"] for one in there if one["SubnetId"] not in chosen] == ["us-east-1e"]
