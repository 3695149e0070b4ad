"""iraas.scaling.policies.per_worker and .spare: so many jobs a worker."""

from __future__ import annotations

import math

import pytest
from tests.unit.scaling.seen import seen

from iraas.scaling.policies.per_worker import JobsPerWorker, WorkerPerMessage
from iraas.scaling.policies.spare import SpareCapacity
from iraas.scaling.policy import History


def test_adds_what_the_jobs_need_and_says_why():
    """38 jobs on 2 workers, 5 for each: eight are needed, six are added at once."""
    decision = JobsPerWorker(target=5.0).decide(seen(visible=36, in_flight=2, in_service=2), History())

    assert decision.capacity == 8
    assert decision.reason == "added 6: 36 waiting and 2 in flight on 2 workers is 19.0 each, target 5"


def test_counts_starting_workers():
    """What was ordered is not ordered again."""
    decision = JobsPerWorker(target=5.0).decide(seen(visible=38, in_service=2, starting=6), History())
    assert decision == (8, "kept: 38 waiting and 0 in flight, 4.8 for each worker")


def test_removes_what_was_not_needed_for_the_hold():
    """Kubernetes' stabilization: the largest recommendation of the last five minutes."""
    policy, history = JobsPerWorker(target=5.0, hold=300.0), History()
    policy.decide(seen(0.0, visible=40, in_service=8), history)
    assert policy.decide(seen(299.0, visible=3, in_service=8), history).capacity == 8
    decision = policy.decide(seen(300.0, visible=3, in_service=8), history)
    assert decision == (1, "removed 7: no more than 1 were needed in the last 300 s")


def test_a_worker_a_message_knows_nothing_but_the_queue():
    """It adds one for each, keeps as many while any is there, and removes all when none is."""
    policy, history = WorkerPerMessage(), History()
    assert policy.decide(seen(visible=7, in_service=2), history) == (7, "added 5: 7 waiting")
    assert policy.decide(seen(visible=1, in_service=7), history) == (7, "kept: 1 waiting")
    assert policy.decide(seen(visible=0, in_flight=1, in_service=7), history).capacity == 7
    assert policy.decide(seen(visible=0, in_service=7), history) == (0, "removed 7: nothing is waiting")


def test_spare_capacity_goes_when_it_was_idle_for_long():
    """AutoScale: as many as the jobs in the system need at once; one that is idle waits 260 s before it goes."""
    policy, history = SpareCapacity(packing=2.0, hold=260.0), History()
    decision = policy.decide(seen(0.0, visible=5, in_flight=4, in_service=2), history)
    assert decision == (5, "added 3: 9 jobs in the system, 2 for each worker")
    assert policy.decide(seen(259.0, in_flight=1, in_service=5), history).capacity == 5
    assert policy.decide(seen(260.0, in_flight=1, in_service=5), history) == (1, "removed 4: idle for 260 s")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: JobsPerWorker(target=0.0), "target: 0 jobs a worker .* give a number above 0"),
        (lambda: JobsPerWorker(target=math.inf), "target: inf"),
        (lambda: JobsPerWorker(target=math.nan), "target: nan"),
        (lambda: JobsPerWorker(hold=-1.0), "hold: -1 is no time; give seconds, 0 or more"),
        (lambda: SpareCapacity(packing=-2.0), "packing: -2 jobs a worker .* give more than 0"),
        (lambda: SpareCapacity(hold=math.inf), "hold: inf is no time"),
    ],
)
def test_refuses_what_cannot_work(make, says):
    """The field is named, with what to write instead."""
    with pytest.raises(ValueError, match=says):
        make()
