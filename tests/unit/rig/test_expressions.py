"""tests.rig.expressions and .functions: metric math as CloudWatch reckons.

The tables are those of the page "Use metric math" of the Amazon CloudWatch User Guide; - is a missing datapoint.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.expressions import Expression


def points(row):
    return [math.nan if point == "-" else float(point) for point in row.split()]


def reckoned(text, **rows):
    """What comes of it, written as the page writes it."""
    found = Expression(text).evaluate({name: points(row) for name, row in rows.items()})
    return " ".join("-" if math.isnan(point) else f"{point:g}" for point in found)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("(metric1 < metric2)", "0 0 1 0"),
        ("(metric1 >= 30)", "1 0 0 0"),
        ("(metric1 > 15 AND metric2 > 15)", "1 0 0 0"),
    ],
)
def test_the_pages_comparisons(text, row):
    """A value that only one of two series has is compared with 0."""
    assert reckoned(text, metric1="30 20 0 0", metric2="20 - 20 -") == row


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("IF(metric1, metric2, metric3)", "30 0 20 - -"),
        ("IF(metric1, 5, metric3)", "5 5 20 - -"),
        ("IF(metric1, metric2, 5)", "30 0 5 5 -"),
        ("IF(metric1, metric2)", "30 0 - - -"),
        ("IF(1, metric2, metric3)", "30 - 0 0 30"),
        ("IF(0, metric2, metric3)", "0 0 20 - 20"),
        ("IF(0, 7, metric3)", "0 0 20 - 20"),
        ("IF(1, 7, metric3)", "7 7 7 7 7"),
    ],
)
def test_the_pages_conditions(text, row):
    """A true branch without a datapoint is 0, a false one without drops it, and so does a condition without."""
    assert reckoned(text, metric1="1 1 0 0 -", metric2="30 - 0 0 30", metric3="0 0 20 - 20") == row


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("m + n", "5 2 3 -"),
        ("m - n", "-1 2 -3 -"),
        ("m * n", "6 0 0 -"),
        ("m / n", "0.666667 - 0 -"),
        ("n / 0", "- - - -"),
        ("5 * m", "10 10 - -"),
        ("-m", "-2 -2 - -"),
        ("10 - -m", "12 12 - -"),
        ("FILL(m, 0) + FILL(n, 0)", "5 2 3 0"),
        ("FILL(m, -1) >= 0", "1 1 0 0"),
        ("FILL(m, n)", "2 2 3 -"),
        ("FILL(m, REPEAT)", "2 2 2 2"),
        ("FILL(n,REPEAT)", "3 3 3 3"),
        ("ABS(-m)", "2 2 - -"),
        ("CEIL(m / 4) + FLOOR(m / 4)", "1 1 - -"),
        ("m - MAX(n)", "-1 -1 - -"),
        ("MIN(n) + AVG(m) + SUM(n) + 0 * m", "10 10 - -"),
        ("MAX([m, n])", "3 2 3 -"),
        ("MIN([m, n])", "2 2 3 -"),
        ("SUM([m, n])", "5 2 3 -"),
        ("AVG([m, n])", "2.5 1 1.5 -"),
        ("SUM(100 / [m, n])", "83.3333 50 33.3333 -"),
        ("SUM(-[m, n])", "-5 -2 -3 -"),
        ("m == 2 || n == 3", "1 1 1 -"),
        ("m != 2 && n != 3", "0 0 0 -"),
    ],
)
def test_signs_and_functions(text, row):
    """Missing is 0 beside something, and missing beside nothing; what is divided by 0 is dropped."""
    assert reckoned(text, m="2 2 - -", n="3 - 3 -") == row


def test_fill_repeats_nothing_before_the_first_datapoint():
    """There is nothing to repeat yet."""
    assert reckoned("FILL(m, REPEAT)", m="- - 4 - 5 -") == "- - 4 4 5 5"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("1 + 2 * 3 + 0 * m", "7"),
        ("(1 + 2) * 3 + 0 * m", "9"),
        ("8 - 3 - 2 + 0 * m", "3"),
        ("16 / 4 / 2 + 0 * m", "2"),
        ("-2 * -3 + 0 * m", "6"),
        ("1 + 1 > 1 AND m < 2 OR m > 5", "1"),
        ("m > 5 OR m < 2 AND 0", "0"),
        (".5 + m", "1.5"),
    ],
)
def test_stronger_signs_bind_first(text, row):
    """As everywhere: times before plus, plus before comparisons, those before AND, and AND before OR."""
    assert reckoned(text, m="1") == row


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ANOMALY_DETECTION_BAND(m)", "the function ANOMALY_DETECTION_BAND is not known here"),
        ("FILL(m, LINEAR)", "FILL with LINEAR is not known here"),
        ("m ^ 2", "\\^ is no sign of metric math that is known here"),
        ("m +", "the end is not known"),
        ("(m", "the end stands where \\) should be"),
        ("m n", "n does not belong there"),
        ("FILL(m)", "\\) stands where , should be"),
        ("AVG", "AVG is not known"),
        ("1 + 2", "the result must be one time series"),
        ("[m, n]", "the result must be one time series"),
        ("MAX(m)", "the result must be one time series"),
        ("m + other", "there is no other among m, n"),
        ("IF(m, [m, n], 1)", "it takes a number or a time series"),
        ("ABS(2) + m", "it takes a time series"),
        ("[m, n] + [m, n]", "one of its sides may be an array"),
    ],
)
def test_what_it_does_not_know_is_no_zero(text, says):
    """Another function, a sign, an id: the error names it."""
    with pytest.raises(ValueError, match=says):
        reckoned(text, m="1 2", n="3 4")


_rows = st.lists(st.tuples(*[st.just(math.nan) | st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=5)


@given(_rows)
def test_a_guarded_sum_is_known_where_both_are(rows):
    """The expression of the backlog: the sum where both metrics have a datapoint that is not negative, else nothing."""
    v, n = ([abs(value) for value in column] for column in zip(*rows, strict=True))
    text = "IF(FILL(v,-1)>=0 AND FILL(n,-1)>=0,FILL(v,0)+FILL(n,0))"
    found = Expression(text).evaluate({"v": v, "n": n})
    assert found == pytest.approx([one + other for one, other in zip(v, n, strict=True)], nan_ok=True)
