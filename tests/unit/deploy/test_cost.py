"""What a stack costs is what a person computes from the price list."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from iraas.deploy import cost
from iraas.deploy.bill import PRICES, WrongInput, read_prices
from iraas.deploy.cost import estimate
from iraas.deploy.foresee import Foreseen
from iraas.deploy.options import completed
from iraas.deploy.spent import Running, spent
from iraas.deploy.template import parameters, read_template, service_template
from iraas.queues import sqs_responses
from iraas.settings import Settings

TEXT = service_template()
TEMPLATE = read_template(TEXT)
PRICED = read_prices(PRICES)


def of(**said: str):
    values = completed(parameters(TEXT), said)
    return estimate(Foreseen(TEMPLATE, values), values, PRICED)


def row(found, words: str):
    [one] = [row for row in found.at_rest if words in row.what]
    return one


def test_instances_at_rest_cost_their_hours():
    """Two web instances, and as many app instances as there always are."""
    found = of(AppMin="3", WebMin="2", WebInstanceType="t3.medium", AppInstanceType="c7i.xlarge")
    assert row(found, "web tier").cost == pytest.approx(2 * 730 * 0.0416)
    assert row(found, "app tier").cost == pytest.approx(3 * 730 * 0.1785)
    assert row(found, "Public IPv4").amount == (3 + 2 + 2) * 730
    assert found.month == pytest.approx(sum(one.cost for one in found.at_rest))


def test_spot_is_cheaper_above_the_base():
    """Two of five on demand, and half of the other three."""
    found = of(AppMin="5", OnDemandBase="2", OnDemandPercentage="50", AppInstanceType="c7i.large")
    share = 0.5 + 0.5 * PRICED.standing.spot_share
    assert row(found, "app tier").cost == pytest.approx(730 * 0.08925 * (2 + 3 * share))


def test_the_other_architecture_has_its_own_types():
    """Unless told, what the template takes there."""
    found = of(Architecture="arm64", AppMin="1")
    kind = row(found, "app tier").what.split(" x ")[1]
    assert kind in PRICED.instances["arm64"]
    assert row(found, "app tier").cost == pytest.approx(730 * PRICED.instances["arm64"][kind])


def test_the_most_that_it_can_cost_is_both_groups_at_their_maximum():
    """An hour of all instances."""
    found = of(AppMax="7", WebMax="4", AppInstanceType="c7i.large", WebInstanceType="t3.small")
    assert found.most_an_hour == pytest.approx(7 * 0.08925 + 4 * 0.0208)


def test_a_type_without_a_price_is_named():
    """It counts as nothing, and nobody is told that it costs nothing."""
    found = of(AppInstanceType="x9.mega", AppMin="1")
    assert found.unpriced == ("x9.mega",)
    assert row(found, "app tier").cost == 0


def test_alarms_cost_by_what_they_look_at():
    """Metric math by each of its metrics, a period of 10 s at its own price, two for target tracking."""
    found = of()
    alarms = [item for item in TEMPLATE["Resources"].values() if item["Type"] == "AWS::CloudWatch::Alarm"]
    tracked = sum(
        item.get("Properties", {}).get("PolicyType") == "TargetTrackingScaling"
        for item in TEMPLATE["Resources"].values()
    )
    looked_at = sum(
        len([one for one in alarm["Properties"]["Metrics"] if "MetricStat" in one])
        if "Metrics" in alarm["Properties"]
        else 1
        for alarm in alarms
    )
    slow, fast = row(found, "Alarms, by").amount, row(found, "every 10 s").amount
    assert fast >= 2
    assert slow + fast == looked_at + 2 * tracked
    assert row(found, "every 10 s").cost == pytest.approx(fast * 0.30)


def test_what_is_switched_off_costs_nothing():
    """A resource whose condition does not hold is not there."""
    without = Foreseen(TEMPLATE, completed(parameters(TEXT), {})).resources()
    with_limit = Foreseen(TEMPLATE, completed(parameters(TEXT), {"MonthlyCostLimit": "50"})).resources()
    assert "CostAlarm" not in without
    assert "CostAlarm" in with_limit


def test_the_numbers_behind_it_are_those_of_the_code():
    """Polls and publishing are as often as the settings say."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert defaults["publish_every"] == cost.PUBLISH_SECONDS
    assert defaults["sqs_wait_seconds"] == cost.WORKER_POLL_SECONDS
    assert sqs_responses.POLL_SECONDS == cost.WEB_POLL_SECONDS


def test_prices_without_what_stands_are_refused():
    """A file for bills alone is not enough for a stack."""
    values = completed(parameters(TEXT), {})
    with pytest.raises(WrongInput, match="standing"):
        estimate(Foreseen(TEMPLATE, values), values, msgspec.structs.replace(PRICED, standing=None))


def test_today_is_counted_from_midnight_or_from_the_start():
    """One since yesterday, one since an hour, one on spot, one without a price; and the balancer."""
    now = datetime(2026, 11, 22, 6, tzinfo=UTC)
    running = [
        Running("c7i.large", datetime(2026, 11, 20, tzinfo=UTC), is_spot=False),
        Running("c7i.large", datetime(2026, 11, 22, 5, tzinfo=UTC), is_spot=True),
        Running("x9.mega", datetime(2026, 11, 22, 5, tzinfo=UTC), is_spot=False),
    ]
    found = spent(running, PRICED, now, balancers=1)
    full, half = 0.08925 + 0.005, 0.08925 * PRICED.standing.spot_share + 0.005
    assert found.instances == pytest.approx(6 * full + half)
    assert found.balancer == pytest.approx(6 * 0.0225)
    assert found.an_hour == pytest.approx(full + half + 0.0225)
    assert found.unpriced == ["x9.mega"]
