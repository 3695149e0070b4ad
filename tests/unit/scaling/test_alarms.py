"""iraas.scaling.alarms: a CloudWatch alarm's next state.

The two tables are those of the page "Configuring how CloudWatch alarms treat missing data" of the Amazon CloudWatch
User Guide: 0 is a datapoint within the threshold, X one that breaches it, - a missing one, the newest on the right.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iraas.scaling.alarms import Alarm, evaluate, invokes

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
WAYS = ("missing", "ignore", "breaching", "notBreaching")
KEPT, UNKNOWN = "kept", "INSUFFICIENT_DATA"
VALUES = {"0": 0.0, "X": 2.0, "-": math.nan}


def alarm(m=3, n=3, **fields):
    return Alarm("visible", 1.0, ">", datapoints=m, evaluation_periods=n, **fields)


def datapoints(row):
    return [VALUES[point] for point in row.split()]


def agrees(row, outcomes, m):
    for way, outcome in zip(WAYS, outcomes, strict=True):
        for state in STATES:
            expected = state if outcome == KEPT else outcome
            found = evaluate(alarm(m, missing=way), datapoints(row), state)
            assert found == expected, f"{row}, {way}, was {state}"


@pytest.mark.parametrize(
    ("row", "outcomes"),
    [
        ("0 - X - X", ("OK", "OK", "OK", "OK")),
        ("0 - - - -", ("OK", "OK", "OK", "OK")),
        ("- - - - -", (UNKNOWN, KEPT, "ALARM", "OK")),
        ("0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("- - X - -", ("ALARM", KEPT, "ALARM", "OK")),
    ],
)
def test_three_of_three_is_as_in_the_first_table(row, outcomes):
    """Each row of AWS's first table (3 of 3 datapoints, 5 retrieved) comes out for each way and each former state."""
    agrees(row, outcomes, m=3)


@pytest.mark.parametrize(
    ("row", "outcomes"),
    [
        ("0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 - X - -", ("OK", "OK", "ALARM", "OK")),
        ("- - - - 0", ("OK", "OK", "ALARM", "OK")),
        ("- - - X -", ("ALARM", KEPT, "ALARM", "OK")),
    ],
)
def test_two_of_three_is_as_in_the_second_table(row, outcomes):
    """Each row of AWS's second table (2 of 3 datapoints, 5 retrieved) comes out for each way and each former state."""
    agrees(row, outcomes, m=2)


@pytest.mark.parametrize("row", ["- - - - X", "- - - X -"])
def test_a_young_breach_is_not_believed_yet(row):
    """The page's section on premature transitions: one breach younger than M raises no alarm, nor ends one."""
    for state in STATES:
        assert evaluate(alarm(), datapoints(row), state) == state


@pytest.mark.parametrize("row", ["- - - X 0", "- - X - 0"])
def test_the_breach_was_a_false_one(row):
    """The same section: the next datapoint is within the threshold, and the alarm is OK."""
    assert evaluate(alarm(), datapoints(row), "OK") == "OK"


def test_enough_real_datapoints_leave_the_missing_ones_alone():
    """With N real datapoints in the range, the way to treat missing ones changes nothing."""
    for way in WAYS:
        assert evaluate(alarm(1, 1, missing=way), datapoints("X - -"), "OK") == "ALARM"
        assert evaluate(alarm(1, 1, missing=way), datapoints("0 - -"), "ALARM") == "OK"


def test_only_the_newest_of_enough_datapoints_count():
    """Datapoints from farther back serve to fill gaps, and are ignored where there are none."""
    assert evaluate(alarm(2, 3), datapoints("X X X 0 0"), "ALARM") == "OK"
    assert evaluate(alarm(2, 3), datapoints("X X - 0 0"), "ALARM") == "OK"
    assert evaluate(alarm(2, 3), datapoints("X X - 0 -"), "OK") == "ALARM"


def test_what_is_older_than_the_range_is_not_looked_at():
    """Five datapoints are retrieved for three evaluation periods, whoever hands in more."""
    assert alarm().retrieved == 5
    assert evaluate(alarm(), datapoints("0 0 0 - - - - -"), "ALARM") == UNKNOWN


def test_a_young_metric_is_one_with_missing_datapoints():
    """Fewer datapoints than periods are as good as missing ones before the first."""
    assert evaluate(alarm(), [], "OK") == UNKNOWN
    assert evaluate(alarm(missing="breaching"), datapoints("X"), "OK") == "ALARM"
    assert evaluate(alarm(), datapoints("X"), UNKNOWN) == UNKNOWN
    assert evaluate(alarm(2, 3), datapoints("X X"), "OK") == "ALARM"


@given(
    st.lists(st.sampled_from("0X-"), max_size=7),
    st.sampled_from(WAYS),
    st.integers(1, 4),
    st.sampled_from(STATES),
)
def test_a_breach_more_never_ends_an_alarm(row, way, m, state):
    """Whatever is missing: a datapoint that breaches instead of one that does not leaves ALARM as it is."""
    rule = alarm(m, 4, missing=way)
    values = [VALUES[point] for point in row]
    if evaluate(rule, values, state) == "ALARM":
        for place, value in enumerate(values):
            if value == 0.0:
                assert evaluate(rule, [*values[:place], 2.0, *values[place + 1 :]], state) == "ALARM"


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [(">", (False, True)), (">=", (True, True)), ("<", (False, False)), ("<=", (True, False))],
)
def test_compares_as_it_says(comparison, breaching):
    """The threshold itself breaches >= and <= only."""
    rule = Alarm("cpu", 1.0, comparison)
    assert (rule.breaches(1.0), rule.breaches(1.1)) == breaching
    assert rule.breaches(0.9) is (comparison in ("<", "<="))
    assert not rule.breaches(math.nan)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"threshold": math.nan}, "threshold: nan"),
        ({"comparison": "=="}, "comparison: '=='.*use one of >, >=, <, <="),
        ({"statistic": "p95"}, "statistic: 'p95'.*Average"),
        ({"missing": "zero"}, "missing: 'zero'.*notBreaching"),
        ({"period": 5.0}, "period: 5 s.*10, 20, 30 or a multiple of 60"),
        ({"period": 90.0}, "period: 90 s"),
        ({"period": math.nan}, "period: nan"),
        ({"datapoints": 2}, "datapoints: 2 of 1"),
        ({"datapoints": 0}, "datapoints: 0 of 1"),
        ({"evaluation_periods": 1441}, "evaluation_periods: 1441 of 60 s.*86400 s"),
        ({"evaluation_periods": 169, "period": 3600.0}, "evaluation_periods: 169 of 3600 s.*604800 s"),
    ],
)
def test_refuses_what_cloudwatch_would_refuse(fields, says):
    """A wrong field is named, with what to write instead."""
    with pytest.raises(ValueError, match=says):
        Alarm(**{"metric": "visible", "threshold": 1.0, "comparison": ">", **fields})


def test_takes_what_cloudwatch_takes():
    """A day of minutes and a week of hours may be looked back on; short periods are evaluated more often."""
    assert Alarm("visible", 0.0, ">", evaluation_periods=1440).every == 60
    assert Alarm("visible", 0.0, ">", period=3600.0, evaluation_periods=168).every == 60
    assert Alarm("visible", 0.0, ">", period=10.0).every == 10


def test_a_scaling_action_is_invoked_again_each_minute():
    """An alarm that stays in ALARM invokes its scaling policy at once, and then once a minute."""
    assert invokes("ALARM", "OK", now=100.0, invoked_at=90.0)
    assert not invokes("ALARM", "ALARM", now=159.0, invoked_at=100.0)
    assert invokes("ALARM", "ALARM", now=160.0, invoked_at=100.0)
    assert not invokes("OK", "ALARM", now=160.0, invoked_at=100.0)
    assert invokes("ALARM", "ALARM", now=50.0, invoked_at=100.0), "the clock went back"
