"""A process dies before and after each step of the order; the picture is answered all the same, once."""

from __future__ import annotations

import itertools

import pytest
from tests.chaos.crowd import Crowd, books_when_quiet
from tests.service import WITH_REPLACEMENTS, Service

from iraas.testing.crash_points import STEPS

NEVER_BEFORE = {"requests.receive", "inputs.get"}  # these have a point only after them
POINTS = [
    f"{when} {step}"
    for step, when in itertools.product(STEPS, ("before", "after"))
    if not (when == "before" and step in NEVER_BEFORE)
]
PICTURES = 32


@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_there_loses_and_doubles_nothing(point, tmp_path):
    """Web process or worker dies at the step's second time, under load: all clients get their own answers."""
    mark = tmp_path / "it-happened"
    settings = {"IRAAS_TEST_MODEL": "0.005", "IRAAS_TEST_CRASH": f"{point} 2 {mark}"}
    with Service(tmp_path / "data", settings=settings, command=WITH_REPLACEMENTS) as service:
        crowd = Crowd(service.url, concurrency=8)
        await crowd.post(range(PICTURES))
        books = await books_when_quiet(service.settings)

    assert mark.exists(), "the point was never passed: this test would prove nothing"
    crowd.check_everyone_was_answered_right(range(PICTURES))
    books.check(answer.id for answer in crowd.answers.values())
    assert len(books.records) == PICTURES
