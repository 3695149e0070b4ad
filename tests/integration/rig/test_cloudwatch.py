"""The rig's CloudWatch as botocore sees it, and ours upon it."""

from __future__ import annotations

import gzip
import json
import math
import time
from datetime import UTC, datetime

import httpx2
import pytest
from botocore.exceptions import ClientError
from tests.doubles.program import REGION, credentials
from tests.rig.clock import RigClock
from tests.rig.cloudwatch import CloudWatch
from tests.rig.metric_store import MetricStore
from tests.rig.queue_metrics import QueueMetrics
from tests.rig.serving import Serving
from tests.waiting import until

from iraas.errors import BackendUnavailable
from iraas.fleet.ec2_calls import Refused, Service
from iraas.fleet.ec2_metrics import Metrics

SCALE = 60.0  # rig seconds a second: ten of them are a sixth of one
PERIOD = 10 / SCALE
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


class Bench:
    """The service on a port, and clients of it."""

    def __init__(self) -> None:
        self.clock = RigClock(SCALE)
        self.store = MetricStore({"iraas": 0.0})
        self.alarms: list[dict] = []
        self.denied: set[str] = set()
        self.service = CloudWatch(
            self.store,
            self.clock,
            alarms=lambda: self.alarms,
            denies=lambda key, operation: key == "test" and operation in self.denied,
        )
        self.serving = Serving(self.service.app())
        self.counted: list[str] = []

    @property
    def endpoint(self) -> str:
        return self.serving.endpoints[0]

    def ours(self, endpoint: str = "") -> Service:
        """As a web process has it."""
        return Service(
            credentials(),
            "cloudwatch",
            region=REGION,
            endpoint=endpoint or self.endpoint,
            on_request=self.counted.append,
        )


@pytest.fixture
def bench():
    bench = Bench()
    with bench.serving:
        yield bench


@pytest.fixture
def client(bench):
    """The SDK's own."""
    client = credentials().create_client("cloudwatch", region_name=REGION, endpoint_url=bench.endpoint)
    yield client
    client.close()


async def test_what_is_published_is_read_back(bench):
    """Each value lands in the period of its time; the sums come back with the wall time of their periods."""
    service = bench.ours()
    metrics = Metrics(service, stack="s", period=PERIOD)
    began = time.time()
    await metrics.publish({"Accepted": 5, "Lacking": -2, "Visible": math.nan}, at=began)
    await metrics.publish({"Accepted": 7}, at=began)
    until(lambda: time.time() > began + 2 * PERIOD, what="the period is over")

    [total] = await metrics.totals(now=began + 2 * PERIOD)  # not now: six periods are a second

    assert total.pictures == 12
    assert began - PERIOD - 0.05 <= total.begin <= began + 0.05
    assert bench.store.names() == {("iraas", "Accepted"), ("iraas", "Lacking")}
    assert bench.counted == ["PutMetricData", "PutMetricData", "GetMetricData"]
    service.close()


async def test_other_stacks_do_not_count(bench):
    """The sum is over the processes of one stack."""
    service = bench.ours()
    began = time.time()
    await Metrics(service, stack="another", period=PERIOD).publish({"Accepted": 5}, at=began)
    until(lambda: time.time() > began + 2 * PERIOD, what="the period is over")
    assert await Metrics(service, stack="s", period=PERIOD).totals(now=began + 2 * PERIOD) == []
    service.close()


async def test_a_refusal_names_the_service_and_the_code(bench):
    """And nothing of AWS's own text, which may hold what was signed."""
    bench.denied = {"PutMetricData"}
    service = bench.ours()
    with pytest.raises(BackendUnavailable) as caught:
        await Metrics(service, stack="s", period=PERIOD).publish({"Accepted": 5}, at=time.time())
    assert str(caught.value) == "CloudWatch: PutMetricData: AccessDenied"
    service.close()


async def test_a_service_out_of_reach_is_a_refusal_too(bench):
    """Both attempts are counted as requests."""
    service = bench.ours(NOWHERE)
    with pytest.raises(Refused, match="EndpointConnectionError"):
        await service.call("GetMetricData", MetricDataQueries=[], StartTime=0, EndTime=1)
    assert bench.counted == ["GetMetricData"] * 2
    service.close()


def test_compressed_requests_are_understood(bench):
    """The SDK compresses what is larger than 10 KB."""
    body = json.dumps({"Namespace": "iraas", "MetricData": [{"MetricName": "Accepted", "Value": 3.0}]})
    answer = httpx2.post(
        bench.endpoint,
        content=gzip.compress(body.encode()),
        headers={
            "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData",
            "Content-Type": "application/x-amz-json-1.0",
            "Content-Encoding": "gzip",
        },
    )
    assert answer.status_code == 200
    assert bench.store.names() == {("iraas", "Accepted")}


def test_a_large_publication_arrives(bench, client):
    """Some hundred metrics in one call, which the SDK compresses by itself."""
    data = [{"MetricName": f"Metric{n}", "Values": [1.0, 2.0], "Counts": [3.0, 1.0]} for n in range(300)]
    client.put_metric_data(Namespace="iraas", MetricData=data)
    assert len(bench.store.names()) == 300
    until(
        lambda: (
            bench.store.datapoints(
                "iraas", "Metric7", {}, stat="Sum", period=60, count=1, now=bench.clock.now()
            )
            == [5]
        ),
        what="counts are counted",
    )


def test_what_it_does_not_know_is_named(client):
    """An operation, an expression or a statistic of the rig's blind side is an error that says so."""
    with pytest.raises(ClientError, match="no ListMetrics"):
        client.list_metrics()
    span = {"StartTime": datetime.fromtimestamp(0, UTC), "EndTime": datetime.now(UTC)}
    with pytest.raises(ClientError, match="no expressions"):
        client.get_metric_data(MetricDataQueries=[{"Id": "e", "Expression": "1"}], **span)
    stat = {"Metric": {"Namespace": "iraas", "MetricName": "Accepted"}, "Period": 10, "Stat": "p99"}
    with pytest.raises(ClientError, match="no p99"):
        client.get_metric_data(MetricDataQueries=[{"Id": "a", "MetricStat": stat}], **span)
    with pytest.raises(ClientError, match="must be"):
        client.put_metric_data(Namespace="iraas", MetricData=[{"MetricName": "a", "Value": math.nan}])


def test_alarms_are_described_with_their_states(bench, client):
    """By name, prefix and state."""
    bench.alarms = [
        {"AlarmName": "s-out", "StateValue": "ALARM", "StateUpdatedTimestamp": time.time()},
        {"AlarmName": "s-in", "StateValue": "OK"},
        {"AlarmName": "another", "StateValue": "OK"},
    ]

    def names(**asked: object) -> list[str]:
        return [alarm["AlarmName"] for alarm in client.describe_alarms(**asked)["MetricAlarms"]]

    assert names() == ["s-out", "s-in", "another"]
    assert names(AlarmNamePrefix="s-") == ["s-out", "s-in"]
    assert names(AlarmNames=["another"]) == ["another"]
    assert names(StateValue="ALARM") == ["s-out"]


async def test_a_queue_of_the_stand_in_has_the_metrics_of_sqs(bench, sqs):
    """Visible, in flight and the age of the oldest, averaged over minutes."""
    url = sqs.create_queue("queue-metrics-requests")
    client = sqs.session().create_client("sqs", region_name=REGION, endpoint_url=sqs.endpoint)
    sampled = QueueMetrics(bench.store, bench.clock, client, url)
    for _ in range(3):
        client.send_message(QueueUrl=url, MessageBody="x")
    client.receive_message(QueueUrl=url)
    await sampled.sample()
    first = bench.clock.now()
    until(lambda: bench.clock.now() > first + 150, what="a whole minute between two samples")
    second = bench.clock.now()
    await sampled.sample()
    client.close()

    def newest(name: str) -> float:
        value, _ = bench.store.datapoints(  # of the newest minute nothing is told yet
            "AWS/SQS",
            name,
            {"QueueName": "queue-metrics-requests"},
            stat="Average",
            period=60,
            count=2,
            now=second + 60,
        )
        return value

    assert newest("ApproximateNumberOfMessagesVisible") == pytest.approx(2)
    assert newest("ApproximateNumberOfMessagesNotVisible") == pytest.approx(1)
    assert newest("ApproximateAgeOfOldestMessage") >= 150
