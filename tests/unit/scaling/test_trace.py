"""Traces: CSV in, arrivals out, in bounded memory."""

from __future__ import annotations

import math

import numpy as np
import pytest

from iraas.scaling.trace import Trace, read_trace


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def all_arrivals(trace: Trace, **options) -> np.ndarray:
    return np.concatenate([np.empty(0), *trace.arrivals(chance(), **options)])


def test_times_come_as_they_stand():
    """A trace of times is played as it was, from its first row on, whatever its origin."""
    trace = read_trace(["time\n", "1714200000.5\n", "1714200000.75\n", "1714200003.5\n"])
    assert all_arrivals(trace).tolist() == [0.0, 0.25, 3.0]
    assert (trace.duration, trace.expected) == (4.0, 3.0)
    assert trace.counts(chance(), step=1.0).tolist() == [2, 0, 0, 1]


def test_a_file_of_numbers_needs_no_header():
    """One number a line is a time."""
    assert all_arrivals(read_trace(["0", "", "0.5", "2"])).tolist() == [0.0, 0.5, 2.0]


def test_dates_are_times():
    """ISO 8601 with a zone, or in UTC without one; a day has 86,400 seconds."""
    trace = read_trace(["time", "2026-04-27T23:59:59Z", "2026-04-28T02:00:01+02:00", "2026-04-28T00:00:02"])
    assert all_arrivals(trace).tolist() == [0.0, 2.0, 3.0]


def test_counted_pictures_come_evenly_in_their_second():
    """Each row's pictures come in the second that begins there, and in order; other columns do not matter."""
    trace = read_trace(["\ufeffhost, count ,time", "a,1000,10", "a,0,11", "b,3000,14"])
    came = all_arrivals(trace)
    assert len(came) == 4000
    assert ((came < 1) | (came >= 4)).all()
    assert (np.diff(came) >= 0).all()
    assert came[:1000].mean() == pytest.approx(0.5, abs=0.05)
    assert trace.duration == 5.0
    assert trace.counts(chance(), step=1.0).tolist() == [1000, 0, 0, 0, 3000]


@pytest.mark.parametrize("step", [0.25, 0.3, 1.0, 7.0])
def test_steps_share_a_second_by_their_overlap(step):
    """Counts in any step are those of the arrivals, within what chance allows; none is lost."""
    trace = read_trace(
        ["time,count", *(f"{second + 0.4 * (second > 5)},{400 * (second % 3)}" for second in range(20))]
    )
    found = trace.counts(chance(1), step=step)
    expected = np.histogram(all_arrivals(trace), np.arange(len(found) + 1) * step)[0]
    assert len(found) == math.ceil(trace.duration / step)
    assert found.sum() == trace.expected
    assert np.abs(found - expected).max() <= 6 * math.sqrt(expected.max())


@pytest.mark.parametrize("chunk", [1, 10, 1_000])
def test_arrivals_are_in_order_where_rows_overlap(chunk):
    """Seconds that begin half a second apart are mixed, in arrays of at most `chunk`."""
    trace = read_trace(["time,count", *(f"{row / 2},20" for row in range(50))])
    chunks = list(trace.arrivals(chance(), chunk=chunk))
    assert max(map(len, chunks)) <= chunk
    together = np.concatenate(chunks)
    assert (np.diff(together) >= 0).all()
    assert len(together) == 1000
    assert together[-1] < trace.duration


def test_rows_of_processes_that_log_side_by_side_may_go_back_a_little():
    """Up to a second is let pass, and sorted."""
    assert all_arrivals(read_trace(["0", "5", "4.2", "6"])).tolist() == [0.0, 4.2, 5.0, 6.0]


def test_a_long_trace_is_streamed_and_folded():
    """Beyond `most` rows only whole seconds are kept, read line by line: nothing grows with the rows."""
    most_kept, asked = 0, 0

    def lines():
        nonlocal asked
        for number in range(300_000):
            asked += 1
            yield f"{number / 1000}\n"

    trace = read_trace(lines(), most=100_000)
    most_kept = len(trace.begins)
    assert asked == 300_000
    assert most_kept == 300
    assert trace.sizes.tolist() == [1000] * 300
    assert trace.counts(chance(), step=1.0).tolist() == [1000] * 300
    assert len(all_arrivals(trace)) == 300_000


def test_a_folded_trace_keeps_rows_that_go_back_in_their_second():
    """Folding counts a late row where it belongs, and makes no second twice."""
    times = [second + part for second in range(100) for part in (0.1, 0.9, 1.2, 0.6)]
    trace = read_trace(["0", *map(str, times)], most=50)
    assert trace.begins.tolist() == list(range(101))
    assert trace.sizes.tolist() == [4] * 100 + [1]


def test_a_trace_of_silence_is_one():
    """Zeros say that nothing came."""
    trace = read_trace(["time,count", "0,0", "9,0"])
    assert not len(all_arrivals(trace))
    assert trace.counts(chance(), step=5.0).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "is empty; it takes a header"),
        (["time,count"], "is empty"),
        (["when,count", "1,2"], "line 1 names 'when', 'count' and no `time`"),
        (["1,2"], "put a header like `time,count`"),
        (["time", "100", "95"], "line 3 is 5 s before the first row; sort"),
        (["time", "0", "-0.5"], "line 3 is 0.5 s before the first row; sort"),
        (["time", "0", "9", "7"], "line 4 goes back by 2 s.*sort"),
        (["time", "0", "noon"], "line 3: time 'noon' is neither seconds nor a date; give"),
        (["time", "nan"], "line 2: time 'nan' is no moment; give"),
        (["time,count", "1"], "line 2 has fewer columns"),
        (["time,count", "1,-2"], "line 2: count '-2'.*give a whole number"),
        (["time,count", "1,2.5"], "line 2: count '2.5'"),
        (["time,count", "1,99999999"], "line 2: count '99999999'"),
        (["time", "1714200000000", "1814200000000"], "line 3 is more than a year.*not milliseconds"),
        (["time", "0", '"' + "9" * 200_000], "line 3 is no CSV"),
    ],
)
def test_a_bad_line_is_named_with_its_mend(lines, words):
    """The message has the line's number, what is wrong and what to do."""
    with pytest.raises(ValueError, match=words):
        read_trace(lines)
