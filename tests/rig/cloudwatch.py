"""CloudWatch on 127.0.0.1: botocore's requests -> the metric store, alarms -> their states.

It speaks AWS JSON 1.0, which botocore takes of the three protocols that it knows for CloudWatch. Times on the wire are
of the wall clock; in the store they are rig seconds.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from iraas.scaling.metrics import STATISTICS
from tests.rig.clock import RigClock
from tests.rig.metric_store import MetricStore, last_period

TARGET = "GraniteServiceVersion20100801."
CONTENT_TYPE = "application/x-amz-json-1.0"
MAX_BYTES = 4_000_000  # of a request; AWS takes 1 MB

Parameters = Mapping[str, Any]
Alarms = Callable[[], Iterable[Mapping[str, Any]]]
_KEY = re.compile(r"Credential=([^/]+)/")


class Fault(Exception):
    """What the service answers instead."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class CloudWatch:
    """The service. `alarms` gives each alarm as DescribeAlarms has it; `denies` says who may not do what.

    `requests` counts operations by the access key that asked.
    """

    def __init__(
        self,
        store: MetricStore,
        clock: RigClock,
        *,
        alarms: Alarms = tuple,
        denies: Callable[[str, str], bool] = lambda _access_key, _operation: False,
    ) -> None:
        self.store = store
        self.requests: dict[tuple[str, str], int] = {}
        self._clock = clock
        self._alarms = alarms
        self._denies = denies
        self._operations: dict[str, Callable[[Parameters], dict[str, Any]]] = {
            "DescribeAlarms": self._describe_alarms,
            "GetMetricData": self._get_metric_data,
            "PutMetricData": self._put_metric_data,
        }

    def app(self) -> web.Application:
        """To be served on 127.0.0.1."""
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_route("*", "/{rest:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        target = request.headers.get("X-Amz-Target", "")
        operation = target.removeprefix(TARGET)
        try:
            if operation == target:
                raise Fault("UnknownOperationException", f"no AWS JSON: {request.method} {request.path}", 404)
            answer, status = self._answer(operation, access_key(request), await _body(request)), 200
        except Fault as fault:
            answer, status = {"__type": fault.code, "message": fault.message}, fault.status
        return web.Response(body=json.dumps(answer).encode(), status=status, content_type=CONTENT_TYPE)

    def _answer(self, operation: str, who: str, body: bytes) -> dict[str, Any]:
        self.requests[who, operation] = self.requests.get((who, operation), 0) + 1
        if self._denies(who, operation):
            raise Fault("AccessDenied", f"{who} is not authorized to perform: cloudwatch:{operation}", 403)
        if operation not in self._operations:
            raise Fault("UnknownOperationException", f"the rig's CloudWatch has no {operation}", 404)
        try:
            return self._operations[operation](json.loads(body or b"{}"))
        except (KeyError, TypeError, ValueError) as error:
            raise Fault("SerializationException", f"{operation}: {error!r}") from error

    def _put_metric_data(self, asked: Parameters) -> dict[str, Any]:
        now = self._clock.now()
        values: list[tuple[str, dict[str, str], float, float]] = []
        for datum in asked["MetricData"]:
            if "StatisticValues" in datum or "EntityMetricData" in asked:
                raise Fault("ValidationError", "the rig's CloudWatch takes Value and Values only")
            at = self._rig_time(datum["Timestamp"]) if "Timestamp" in datum else now
            given = datum.get("Values", [datum["Value"]] if "Value" in datum else [])
            counts = datum.get("Counts", [1.0] * len(given))
            if not given or not all(math.isfinite(value) for value in given):
                raise Fault("InvalidParameterValue", f"{datum['MetricName']}: a value must be a number")
            for value, count in zip(given, counts, strict=True):
                name = datum["MetricName"]
                values += [(name, _dimensions(datum), value, at)] * round(count)
        for name, dimensions, value, at in values:  # all or none of them
            self.store.put(asked["Namespace"], name, dimensions, value, at=at)
        return {}

    def _get_metric_data(self, asked: Parameters) -> dict[str, Any]:
        begin, end = (self._rig_time(asked[name]) for name in ("StartTime", "EndTime"))
        newest_first = asked.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = []
        for query in asked["MetricDataQueries"]:
            found = self._series(query, begin, end)
            if newest_first:
                found.reverse()
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label", query["MetricStat"]["Metric"]["MetricName"]),
                    "Timestamps": [self._wall_time(at) for at, _ in found],
                    "Values": [value for _, value in found],
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results, "Messages": []}

    def _series(self, query: Parameters, begin: float, end: float) -> list[tuple[float, float]]:
        """Begin and value of each period with data, the oldest first."""
        if "MetricStat" not in query:
            raise Fault("ValidationError", f"{query['Id']}: the rig's CloudWatch computes no expressions")
        stat, metric = query["MetricStat"], query["MetricStat"]["Metric"]
        period = float(stat["Period"])
        if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
            raise Fault("InvalidParameterValue", f"Period {period:g} is not possible")
        if stat["Stat"] not in STATISTICS:
            raise Fault("InvalidParameterValue", f"the rig's CloudWatch has no {stat['Stat']}")
        now = self._clock.now()
        first = begin // period * period
        count = max(0, last_period(now, period) - round(first / period))
        values = self.store.datapoints(
            metric["Namespace"],
            metric["MetricName"],
            _dimensions(metric),
            stat=stat["Stat"],
            period=period,
            count=count,
            now=now,
        )
        periods = [(first + number * period, value) for number, value in enumerate(values)]
        return [(at, value) for at, value in periods if at < end and not math.isnan(value)]

    def _describe_alarms(self, asked: Parameters) -> dict[str, Any]:
        names, prefix = asked.get("AlarmNames"), asked.get("AlarmNamePrefix", "")
        found = [
            dict(alarm)
            for alarm in self._alarms()
            if (names is None or alarm["AlarmName"] in names)
            and alarm["AlarmName"].startswith(prefix)
            and alarm["StateValue"] == asked.get("StateValue", alarm["StateValue"])
        ]
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def _rig_time(self, wall: float) -> float:
        return self._clock.now() + (wall - time.time()) * self._clock.scale

    def _wall_time(self, rig: float) -> float:
        return time.time() + (rig - self._clock.now()) / self._clock.scale


def access_key(request: web.Request) -> str:
    """Whose request it says it is; signatures are not checked."""
    found = _KEY.search(request.headers.get("Authorization", ""))
    return found[1] if found else ""


async def _body(request: web.Request) -> bytes:
    body = await request.read()  # aiohttp itself undoes what `Content-Encoding` names
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def _dimensions(thing: Parameters) -> dict[str, str]:
    dimensions: Sequence[Mapping[str, str]] = thing.get("Dimensions", ())
    return {dimension["Name"]: dimension["Value"] for dimension in dimensions}
