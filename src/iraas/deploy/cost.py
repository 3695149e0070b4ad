"""a template foreseen, prices -> what a stack costs: a month at rest, an hour at most, a million pictures. Pure.

Not in it: free tiers, discounts, taxes, traffic to the internet, and the logs of what happens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from iraas.deploy.bill import Instance, Prices, Row, Standing, Usage, WrongInput, price
from iraas.deploy.foresee import Foreseen

HOURS = 730  # of a month, as AWS's own calculator has it
SECONDS = HOURS * 3600
ADDRESSES = 2  # of a balancer: one for each zone, and two zones are the least
MONITORED = 7  # metrics of an instance with detailed monitoring ("Amazon CloudWatch pricing")
TRACKED = 2  # alarms that Auto Scaling makes for a target tracking policy
OUR_METRICS = 6  # Visible, InFlight, Responses, Accepted, Wanted, Lacking
PUBLISH_SECONDS = 10.0  # between two PutMetricData of a web process
WEB_POLL_SECONDS = 5.0  # of a web process, on its response queue
WORKER_POLL_SECONDS = 10.0  # of a worker, on the request queue
# Requests for a thousand pictures, counted by the benchmarks (aws_c32_..._per_1000; docs/aws.md has them).
COUNTED = {
    "PutObject": 2000,
    "GetObject": 1060,
    "SendMessageBatch": 910,
    "ReceiveMessage": 832,
    "DeleteMessageBatch": 205,
    "ChangeMessageVisibilityBatch": 7,
    "GetQueueAttributes": 26,
}
CORE_MS = 30.0  # of both tiers for a picture, without AMX
BUSY = 0.5  # share of its time that a vCPU computes


class Estimate(NamedTuple):
    """What a stack costs, in the currency of the prices."""

    at_rest: list[Row]  # a month in which nothing happens
    most_an_hour: float  # instances, when both groups are at their maximum
    million: float  # pictures: requests, storage, and an app instance while it is busy
    unpriced: tuple[str, ...]  # instance types that the prices do not have; they count as nothing

    @property
    def month(self) -> float:
        """Of a stack that nobody asks anything."""
        return math.fsum(row.cost for row in self.at_rest)


class Tier(NamedTuple):
    """The instances of a group, as the template has them."""

    kind: str  # the first that it takes
    hour: float  # of one
    least: int
    most: int
    on_demand_base: int
    on_demand_share: float
    disk_gb: float
    monitored: bool

    def hours(self, count: int, spot_share: float) -> float:
        """What so many cost in an hour, on demand and spot."""
        base = min(count, self.on_demand_base)
        share = self.on_demand_share + (1 - self.on_demand_share) * spot_share
        return self.hour * (base + (count - base) * share)


def estimate(foreseen: Foreseen, parameters: Mapping[str, str], prices: Prices) -> Estimate:
    """What the stack costs with these parameters, all of them. Raises `WrongInput` for prices without `standing`."""
    if prices.standing is None:
        raise WrongInput("the prices have no [standing]: what stands there cannot be priced")
    standing, resources = prices.standing, foreseen.resources()
    tiers = {tier: _tier(foreseen, parameters, prices, tier) for tier in ("web", "app")}
    rows = [_instances(tier, tiers[tier], standing) for tier in tiers]
    rows += _around(tiers, standing)
    rows += _watching(resources, tiers, standing)
    rows.append(_polls(tiers, int(parameters["WorkersPerInstance"]), prices))
    most = math.fsum(tier.hours(tier.most, standing.spot_share) for tier in tiers.values())
    return Estimate(rows, most, _million(tiers["app"], prices, standing), _unpriced(tiers))


def _tier(foreseen: Foreseen, parameters: Mapping[str, str], prices: Prices, tier: str) -> Tier:
    name = tier.capitalize()
    resources = foreseen.resources()
    launch = resources[f"{name}LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    kind = str(foreseen.value(launch["InstanceType"]))
    mixed = "MixedInstancesPolicy" in resources[f"{name}Group"]["Properties"]
    return Tier(
        kind,
        prices.instances.get(parameters["Architecture"], {}).get(kind, math.nan),
        int(parameters[f"{name}Min"]),
        int(parameters[f"{name}Max"]),
        int(parameters["OnDemandBase"]) if mixed else 0,
        float(parameters["OnDemandPercentage"]) / 100 if mixed else 1.0,
        math.fsum(disk["Ebs"]["VolumeSize"] for disk in launch.get("BlockDeviceMappings", [])),
        bool(launch.get("Monitoring", {}).get("Enabled")),
    )


def _instances(name: str, tier: Tier, standing: Standing) -> Row:
    count = tier.least
    what = f"{name} tier, {count} x {tier.kind}"
    spot = count - min(count, tier.on_demand_base)
    if spot and tier.on_demand_share < 1:
        what += f", {tier.on_demand_share:.0%} of {spot} on demand, the rest spot"
    cost = tier.hours(count, standing.spot_share) * HOURS if count else 0.0
    return Row(what, float(count * HOURS), "hours", 0.0 if math.isnan(cost) else cost)


def _around(tiers: Mapping[str, Tier], standing: Standing) -> list[Row]:
    instances = sum(tier.least for tier in tiers.values())
    disks = math.fsum(tier.least * tier.disk_gb for tier in tiers.values())
    addresses = (instances + ADDRESSES) * HOURS
    return [
        Row("Disks of the instances, gp3", disks, "GB-months", disks * standing.disk_gb_month),
        Row("Balancer", float(HOURS), "hours", HOURS * standing.balancer_hour),
        Row("Public IPv4 addresses", float(addresses), "hours", addresses * standing.address_hour),
    ]


def _watching(resources: Mapping[str, Any], tiers: Mapping[str, Tier], standing: Standing) -> list[Row]:
    slow = fast = 0
    for item in resources.values():
        properties = item.get("Properties", {})
        if item["Type"] == "AWS::CloudWatch::Alarm":
            periods = [
                part["MetricStat"]["Period"] for part in properties.get("Metrics", []) if "MetricStat" in part
            ]
            for period in periods or [properties["Period"]]:
                slow, fast = (slow, fast + 1) if period < 60 else (slow + 1, fast)
        elif properties.get("PolicyType") == "TargetTrackingScaling":
            slow += TRACKED
    kinds = [item["Type"] for item in resources.values()]
    metrics = OUR_METRICS + MONITORED * sum(tier.least for tier in tiers.values() if tier.monitored)
    published = tiers["web"].least * SECONDS / PUBLISH_SECONDS / 1000
    dashboards, secrets = (
        kinds.count("AWS::CloudWatch::Dashboard"),
        kinds.count("AWS::SecretsManager::Secret"),
    )
    return [
        Row("Alarms, by what they look at", float(slow), "metrics", slow * standing.alarm_month),
        Row("Alarms that look every 10 s", float(fast), "metrics", fast * standing.fast_alarm_month),
        Row(
            "Metrics of ours, and detailed monitoring",
            float(metrics),
            "metrics",
            metrics * standing.metric_month,
        ),
        Row("Publishing them", published, "thousand requests", published * standing.metric_requests),
        Row("Dashboard", float(dashboards), "dashboards", dashboards * standing.dashboard_month),
        Row(
            "Secret with the hashes of the API keys",
            float(secrets),
            "secrets",
            secrets * standing.secret_month,
        ),
    ]


def _polls(tiers: Mapping[str, Tier], workers: int, prices: Prices) -> Row:
    kind = next(kind for kind in prices.requests if "ReceiveMessage" in kind.operations)
    each_second = tiers["web"].least / WEB_POLL_SECONDS + tiers["app"].least * workers / WORKER_POLL_SECONDS
    each_second += tiers["web"].least / PUBLISH_SECONDS  # GetQueueAttributes, for what is published
    number = each_second * SECONDS
    return Row("Polls of empty queues", number / 1e6, "million", number / kind.per * kind.price)


def _million(app: Tier, prices: Prices, standing: Standing) -> float:
    hour = 0.0 if math.isnan(app.hour) else app.hours(1000, standing.spot_share) / 1000
    vcpus = 4 if app.kind.endswith(".xlarge") else 8 if app.kind.endswith(".2xlarge") else 2
    priced = msgspec.structs.replace(prices, instance=Instance(name=app.kind, hour=hour, vcpus=vcpus))
    rows = price(Usage(COUNTED, pictures=1000, core_ms=CORE_MS, busy=BUSY), priced)
    return math.fsum(row.cost for row in rows)


def _unpriced(tiers: Mapping[str, Tier]) -> tuple[str, ...]:
    return tuple(sorted({tier.kind for tier in tiers.values() if math.isnan(tier.hour)}))
