"""What comes when: shapes, their arrivals, and their counts in steps."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from iraas.scaling.workloads import SHAPES, Burst, shape, steps_in

RATE, DURATION = 20.0, 3600.0


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def all_arrivals(workload, seed: int = 0, **options) -> np.ndarray:
    return np.concatenate([np.empty(0), *workload.arrivals(chance(seed), **options)])


@pytest.mark.parametrize("name", SHAPES)
def test_arrivals_follow_the_rate(name):
    """In each hundredth of the time so many come as the rate says, within what chance allows."""
    workload = shape(name, rate=RATE, duration=DURATION)
    edges = np.linspace(0, DURATION, 101)
    expected = np.diff(workload.cumulative(edges))
    found = np.histogram(all_arrivals(workload), edges)[0]

    comes = expected > 1e-6  # in the breaks of `waves` nothing does
    assert not found[~comes].any()
    chi_squared = float(((found - expected) ** 2)[comes] @ (1 / expected[comes]))
    assert abs(chi_squared - comes.sum()) < 5 * math.sqrt(2 * comes.sum())


@pytest.mark.parametrize("name", SHAPES)
def test_counts_have_the_mean_and_the_variance_of_arrivals(name):
    """The counts of steps are Poisson around the expected number, as arrivals counted in the same steps are."""
    workload = shape(name, rate=RATE, duration=DURATION)
    expected = np.diff(workload.cumulative(np.linspace(0, DURATION, 3601)))
    found = workload.counts(chance(), step=1.0)

    assert found.dtype == np.int64
    assert abs(found.sum() - workload.expected) < 5 * math.sqrt(workload.expected)
    comes = expected > 1e-6
    assert not found[~comes].any()
    dispersion = float(((found - expected)[comes] ** 2 / expected[comes]).mean())
    assert abs(dispersion - 1) < 0.15


@pytest.mark.parametrize("name", SHAPES)
def test_the_cumulative_rate_is_the_rate_added_up(name):
    """The closed form agrees with a sum over small steps."""
    workload = shape(name, rate=RATE, duration=DURATION)
    middles = np.arange(0.005, DURATION, 0.01)
    assert workload.rates(middles).sum() * 0.01 == pytest.approx(workload.expected, rel=1e-5)
    assert workload.cumulative(np.array([DURATION]))[0] == pytest.approx(workload.expected)


@pytest.mark.parametrize(
    ("name", "at", "times_rate"),
    [
        ("steady", 1.0, 1.0),
        ("step", 1199.9, 1.0),
        ("step", 1200.0, 3.0),
        ("spike", 1439.9, 1.0),
        ("spike", 1440.0, 10.0),
        ("spike", 1512.0, 1.0),
        ("flash", 899.9, 1.0),
        ("flash", 936.0, 10.0),
        ("flash", 936.0 + 360.0, 1 + 9 / math.e),
        ("ramp", 0.0, 1.0),
        ("ramp", 1800.0, 3.0),
        ("steady", -1.0, 0.0),
        ("steady", 3600.0, 0.0),
    ],
)
def test_shapes_have_the_proportions_that_they_say(name, at, times_rate):
    """What is documented of each shape is what its rate is."""
    workload = shape(name, rate=RATE, duration=DURATION)
    assert workload.rates(np.array([at]))[0] == pytest.approx(times_rate * RATE, rel=1e-3)


def test_the_rate_is_the_mean_of_a_day():
    """Nights and days even out, and noise has mean 1; each seed has its own noise, and always the same."""
    days = [shape("daily", rate=RATE, duration=7 * 86_400, seed=seed) for seed in range(40)]
    means = [day.expected / day.duration for day in days]
    assert np.mean(means) == pytest.approx(RATE, rel=0.01)
    assert len(set(means)) == 40
    assert shape("daily", rate=RATE, duration=7 * 86_400, seed=3).expected == days[3].expected
    midnight, noon = days[0].rates(np.array([0.0, 43_200.0]))
    assert midnight < RATE / 2 < RATE < noon


@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_arrivals_come_in_order_and_in_chunks(chunk):
    """Each array is sorted, holds at most `chunk`, and goes on where the last one ended."""
    workload = shape("spike", rate=2.0, duration=300.0)
    chunks = list(workload.arrivals(chance(), chunk=chunk))
    assert max(map(len, chunks)) <= chunk
    together = np.concatenate(chunks)
    assert (np.diff(together) >= 0).all()
    assert together[0] >= 0
    assert together[-1] < 300.0


def test_the_same_seed_gives_the_same_arrivals():
    """Chance comes from the generator that is passed in, and from nowhere else."""
    workload = shape("flash", rate=5.0, duration=600.0)
    assert (all_arrivals(workload, 1) == all_arrivals(workload, 1)).all()
    assert len(all_arrivals(workload, 1)) != len(all_arrivals(workload, 2))


def test_times_between_steady_arrivals_are_exponential():
    """Their mean is 1 / rate, and so is their deviation."""
    gaps = np.diff(all_arrivals(shape("steady", rate=RATE, duration=10 * DURATION)))
    assert gaps.mean() == pytest.approx(1 / RATE, rel=0.01)
    assert gaps.std() == pytest.approx(1 / RATE, rel=0.01)
    assert (gaps > 1 / RATE).mean() == pytest.approx(1 / math.e, rel=0.01)


def test_a_day_at_ten_thousand_a_second_is_counted_in_no_time():
    """864 million arrivals cost no more than the steps that they fall into."""
    workload = shape("daily", rate=10_000, duration=86_400)
    took = []
    for _ in range(3):  # a collection of garbage may fall into one of them
        begun = time.thread_time()
        counts = workload.counts(chance(), step=0.5)
        took.append(time.thread_time() - begun)
    assert min(took) < 0.3
    assert len(counts) == 172_800
    assert counts.sum() == pytest.approx(workload.expected, rel=1e-3)


def test_nothing_comes_at_rate_zero():
    """A service may be idle."""
    workload = shape("step", rate=0.0, duration=60.0)
    assert not len(all_arrivals(workload))
    assert workload.counts(chance(), step=1.0).tolist() == [0] * 60


def test_the_last_step_may_be_cut_short():
    """Steps cover the duration; rounding makes no step of its own."""
    assert [steps_in(1.1, 0.1), steps_in(10, 3), steps_in(0.5, 1)] == [11, 4, 1]
    workload = shape("steady", rate=1000.0, duration=10.0)
    assert workload.counts(chance(), step=3.0)[-1] == pytest.approx(1000, rel=0.2)
    with pytest.raises(ValueError, match="step is 0"):
        steps_in(10, 0)


def test_an_unknown_shape_is_refused_with_those_that_there_are():
    """The message names every shape."""
    with pytest.raises(ValueError, match="steady, step, spike, flash, ramp, daily"):
        shape("sawtooth", rate=1, duration=1)


@pytest.mark.parametrize(
    ("rate", "duration", "words"),
    [
        (-1, 1, "rate is -1"),
        (math.nan, 1, "rate is nan"),
        (1, 0, "duration is 0"),
        (1, math.inf, "duration is inf"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(rate, duration, words):
    """The message names the number and what it ought to be."""
    with pytest.raises(ValueError, match=words):
        shape("steady", rate=rate, duration=duration)


@pytest.mark.parametrize("wrong", [{"clients": 0}, {"requests": 0}, {"think": -1.0}, {"think": math.nan}])
def test_a_burst_is_somebody_who_sends_something(wrong):
    """No clients, no requests and negative pauses are refused; the course's hundred are the default."""
    assert Burst() == Burst(clients=100, requests=100, think=0.0)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Burst(**wrong)
