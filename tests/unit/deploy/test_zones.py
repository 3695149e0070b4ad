"""Zones that a stack spans: those in which both tiers can start."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.deploy.offers import OURS

from iraas.deploy.zones import check_zones, one_a_zone
from iraas.errors import ConfigurationError


def subnets(*zones: str) -> list[dict[str, Any]]:
    """One for each."""
    return [{"SubnetId": f"subnet-{zone}", "AvailabilityZone": zone} for zone in zones]


def chosen(aws, *zones: str) -> list[str]:
    return [one["AvailabilityZone"] for one in one_a_zone(aws.account(), subnets(*zones), OURS)]


@pytest.mark.parametrize(
    ("lacking", "fits"),
    [
        ({"*"}, False),  # use1-az3 has none of our types
        ({"t3.small"}, False),
        (set(OURS.app), False),
        (set(OURS.app[1:]), True),
        ({OURS.app[0]}, True),
    ],
)
def test_a_zone_needs_the_web_type_and_one_of_the_app_tiers(lacking, fits, aws, offers):
    """Else a group would try to start instances there, and fail each time."""
    offers.zones["us-east-1e"] = "availability-zone"
    offers.lacking["us-east-1e"] = lacking
    assert ("us-east-1e" in chosen(aws, "us-east-1a", "us-east-1b", "us-east-1e")) is fits


@pytest.mark.parametrize("what", ["local-zone", "wavelength-zone"])
def test_a_zone_of_another_kind_is_left_out(what, aws, offers):
    """Though it may have all the types: balancers do not span them with others."""
    offers.zones["us-east-1-bos-1a"] = what
    assert chosen(aws, "us-east-1-bos-1a", "us-east-1a", "us-east-1b") == ["us-east-1a", "us-east-1b"]


def test_too_few_zones_are_refused_with_types_zones_and_mend(aws, offers):
    """One line, before anything is made."""
    offers.lacking["us-east-1b"] = {"t3.small"}
    with pytest.raises(ConfigurationError) as error:
        chosen(aws, "us-east-1a", "us-east-1b")
    assert error.value.detail == (
        "the balancer needs subnets in two zones, and of us-east-1a, us-east-1b only us-east-1a is an "
        "availability zone with t3.small and one of c7i.large, m7i.large, c6i.large, m6i.large: "
        "make a subnet in another zone, or take other types (--web-instance-type, --instance-type)"
    )


def test_subnets_that_are_named_are_the_users_choice(aws, offers):
    """Unless a zone has nothing at all that could start there."""
    offers.lacking["us-east-1b"] = {"t3.small"}
    check_zones(aws.account(), subnets("us-east-1a", "us-east-1b"), OURS)
    offers.lacking["us-east-1b"] = {"*"}
    with pytest.raises(
        ConfigurationError, match=r"us-east-1b offers none of t3\.small, c7i.*subnet-us-east-1b"
    ):
        check_zones(aws.account(), subnets("us-east-1a", "us-east-1b"), OURS)
