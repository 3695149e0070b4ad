"""Options -> what load is put on."""

from __future__ import annotations

import pytest

from iraas.cli.load_plan import LoadOptions, plan_of
from iraas.errors import ConfigurationError
from iraas.load.plan import Closed

NOTHING = LoadOptions(
    clients=None, requests=None, rate=None, shape=None, duration=None, trace=None, seed=0, max_open=1000
)


def test_without_options_each_picture_is_sent_once():
    """By 32 clients that wait."""
    plan = plan_of(NOTHING, pictures=7)
    assert plan == Closed(clients=32, requests=7)
    assert (plan.expected, plan.words) == (7, "32 clients")


def test_a_duration_ends_clients():
    """They go on until then, or until their requests are sent."""
    assert plan_of(NOTHING._replace(duration="2m", clients=1), pictures=7) == Closed(1, None, 120.0)
    assert plan_of(NOTHING._replace(duration="2m", requests=5), pictures=7) == Closed(32, 5, 120.0)


def test_a_rate_is_a_shape_by_the_clock():
    """Steady for a minute, unless it is said otherwise."""
    plan = plan_of(NOTHING._replace(rate=5.0), pictures=7)
    assert (plan.workload.name, plan.workload.duration, plan.expected) == ("steady", 60.0, 300)
    plan = plan_of(NOTHING._replace(rate=5.0, shape="step", duration="90s", max_open=3), pictures=7)
    assert (plan.workload.name, plan.workload.duration, plan.max_open) == ("step", 90.0, 3)


def test_a_trace_is_read(tmp_path):
    """Its rows are the due times."""
    path = tmp_path / "trace.csv"
    path.write_text("time,count\n0,3\n1,4\n")
    assert plan_of(NOTHING._replace(trace=path), pictures=7).expected == 7


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shape": "step"}, "--shape needs --rate"),
        ({"rate": 1.0, "clients": 2}, "--clients and --requests"),
        ({"rate": 1.0, "requests": 2}, "--clients and --requests"),
        ({"rate": 0.0}, "--rate is 0"),
        ({"rate": float("nan")}, "--rate is nan"),
        ({"rate": float("inf")}, "rate is inf"),
        ({"rate": 1.0, "shape": "saw"}, "unknown; there are steady"),
        ({"duration": "soon"}, "--duration is 'soon'; say how long"),
        ({"duration": "0s"}, "--duration is '0s'"),
        ({"trace": "missing.csv"}, r"--trace .*missing\.csv cannot be read: No such file"),
        ({"trace": "bad.csv"}, "--trace .*line 2: time 'x'"),
        ({"trace": "bad.csv", "rate": 1.0}, "leave --rate, --shape and --duration out"),
    ],
)
def test_options_that_exclude_each_other_are_refused(tmp_path, options, words):
    """The message names the option and the mend."""
    (tmp_path / "bad.csv").write_text("time\nx\n")
    if "trace" in options:
        options = options | {"trace": tmp_path / options["trace"]}
    with pytest.raises(ConfigurationError, match=words):
        plan_of(NOTHING._replace(**options), pictures=7)
