"""What a service says of its fleet."""

from __future__ import annotations

import copy

import pytest
from tests.integration.load_stub import FLEET

from iraas.load.observed import ObservedFleet, Sample


def test_a_sample_is_kept_with_the_load_s_own_time():
    """Queue and workers stand where they were seen; a decision where it was made, once."""
    fleet = ObservedFleet()
    said = copy.deepcopy(FLEET) | {"at": 1000.0}
    said["decisions"] = [
        {"at": 998.0, "before": 1, "capacity": 2, "reason": "added 1", "trouble": False},
        {"at": 900.0, "before": 2, "capacity": 1, "reason": "long ago", "trouble": False},
    ]
    fleet.add(5.0, said)
    fleet.add(6.0, said | {"at": 1001.0})

    assert fleet.samples == [Sample(5.0, 3, 1, 1, 1), Sample(6.0, 3, 1, 1, 1)]
    [decided] = fleet.decisions
    assert (decided.at, decided.before, decided.capacity, decided.reason) == (3.0, 1, 2, "added 1")


@pytest.mark.parametrize("said", [{}, {"queue": 1}, {**FLEET, "workers": None}, {**FLEET, "decisions": [{}]}])
def test_what_is_not_shaped_like_a_fleet_is_left_out(said):
    """Another service may have such a route, and mean something else."""
    fleet = ObservedFleet()
    fleet.add(1.0, said)
    assert not fleet.samples


async def test_a_service_without_the_route_is_asked_once():
    """None says that there is nothing to see."""
    asked = []

    async def ask():
        asked.append(1)

    await ObservedFleet().watch(ask)
    assert asked == [1]
