"""instances that run, prices -> what today has cost so far, as far as that can be seen. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from iraas.deploy.bill import Prices


class Running(NamedTuple):
    """An instance that is there."""

    kind: str
    since: datetime
    is_spot: bool


class Spent(msgspec.Struct, frozen=True):
    """Since midnight UTC, in the currency of the prices."""

    currency: str
    instances: float  # those that run now, from their start today
    balancer: float
    an_hour: float  # of both, from now on
    unpriced: list[str]  # types without a price
    without: str = "requests, storage, instances that have ended today, traffic"


def spent(running: Sequence[Running], prices: Prices, now: datetime, *, balancers: int) -> Spent | None:
    """What is known of today's cost; None for prices without `standing`."""
    if prices.standing is None:
        return None
    hours_of = {kind: hour for kinds in prices.instances.values() for kind, hour in kinds.items()}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    rates = [
        (
            hours_of[one.kind] * (prices.standing.spot_share if one.is_spot else 1)
            + prices.standing.address_hour,
            one,
        )
        for one in running
        if one.kind in hours_of
    ]
    so_far = math.fsum(rate * (now - max(one.since, midnight)).total_seconds() / 3600 for rate, one in rates)
    balancer = balancers * prices.standing.balancer_hour
    today = (now - midnight).total_seconds() / 3600
    return Spent(
        prices.currency,
        so_far,
        balancer * today,
        math.fsum(rate for rate, _ in rates) + balancer,
        sorted({one.kind for one in running} - set(hours_of)),
    )
