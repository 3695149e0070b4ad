"""subnets, instance types -> one subnet for each zone in which both tiers can start.

A default VPC has a subnet in every zone, also in one that has none of our types (us-east-1's use1-az3): a group that
spans it fails to start there, again and again (terraform-provider-aws #26377).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from iraas.deploy.account import Account
from iraas.deploy.instance_types import Types
from iraas.deploy.offers import offered
from iraas.errors import ConfigurationError

LEAST_ZONES = 2  # an application load balancer wants subnets in two (its user guide, "Availability Zones")


def one_a_zone(account: Account, subnets: Iterable[Any], types: Types) -> list[Any]:
    """A balancer takes one for each zone; a zone's default subnet before others, then by id.

    Zones without the web type or without any app type are left out, and Local and Wavelength Zones, which no other
    zone's balancer spans. Raises `ConfigurationError` if that leaves too few.
    """
    by_zone: dict[str, Any] = {}
    for subnet in sorted(subnets, key=lambda one: (not one.get("DefaultForAz"), one["SubnetId"])):
        by_zone.setdefault(subnet["AvailabilityZone"], subnet)
    offers = offered(account, {types.web, *types.app}, "availability-zone")
    fit = [
        zone
        for zone in sorted(by_zone.keys() & _availability_zones(account))
        if types.web in offers.get(zone, set()) and offers[zone] & set(types.app)
    ]
    if len(fit) < LEAST_ZONES <= len(by_zone):
        raise ConfigurationError(
            f"the balancer needs subnets in two zones, and of {', '.join(sorted(by_zone))} only "
            f"{', '.join(fit) or 'none'} is an availability zone with {types.web} and one of {', '.join(types.app)}: "
            "make a subnet in another zone, or take other types (--web-instance-type, --instance-type)"
        )
    return [by_zone[zone] for zone in fit]


def check_zones(account: Account, subnets: Sequence[Any], types: Types) -> None:
    """Whether something can start in each of the subnets that were named. Raises `ConfigurationError`."""
    kinds = (types.web, *types.app)
    offers = offered(account, kinds, "availability-zone")
    for subnet in subnets:
        zone = subnet["AvailabilityZone"]
        if zone not in offers:
            raise ConfigurationError(
                f"{zone} offers none of {', '.join(kinds)}, so nothing could start in {subnet['SubnetId']}: "
                "take a --subnet of another zone, or other types (--web-instance-type, --instance-type)"
            )


def _availability_zones(account: Account) -> set[str]:
    found = account.client("ec2").describe_availability_zones(
        Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}]
    )["AvailabilityZones"]
    return {one["ZoneName"] for one in found}
