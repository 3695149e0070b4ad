"""Pictures that kill whatever computes them, and bad ones, harm nobody else."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from tests.chaos.crowd import Crowd, books_when_quiet, grey
from tests.service import WITH_REPLACEMENTS, Service

from iraas.errors import ClassifierCrashed, UndecodableImage
from iraas.testing.fatal_model import RED


def plain(colour: tuple[int, int, int]) -> bytes:
    """A PNG of one colour."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((32, 32, 3), colour, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_killer_is_condemned_while_99_others_are_answered(tmp_path):
    """One picture of a hundred kills its worker and two quarantine children: it alone fails, and is recorded."""
    killer = 50

    def picture(number: int) -> bytes:
        return plain(RED) if number == killer else grey(number)

    with Service(
        tmp_path / "data", settings={"IRAAS_TEST_MODEL": "fatal"}, command=WITH_REPLACEMENTS
    ) as service:
        crowd = Crowd(service.url)
        await crowd.post(range(100), picture)
        books = await books_when_quiet(service.settings)

    assert set(crowd.errors) == {killer}
    assert isinstance(crowd.errors[killer], ClassifierCrashed)
    assert "SIGSEGV" in crowd.errors[killer].detail
    assert len(crowd.answers) == 99
    assert all(answer.label.startswith("brightness") for answer in crowd.answers.values())
    [letter] = books.letters
    assert "SIGSEGV" in letter.reason
    assert len(books.records) == 100


async def test_four_bad_pictures_of_64_fail_alone(tmp_path):
    """64 pictures of which 4 are damaged, at concurrency 16: 60 right answers and 4 clear errors."""
    bad = {3, 17, 40, 63}

    def picture(number: int) -> bytes:
        whole = grey(number)
        return whole[:60] + bytes(8) + whole[68:] if number in bad else whole

    with Service(
        tmp_path / "data", settings={"IRAAS_TEST_MODEL": "0.005"}, command=WITH_REPLACEMENTS
    ) as service:
        crowd = Crowd(service.url, concurrency=16)
        await crowd.post(range(64), picture)

    assert set(crowd.errors) == bad
    assert all(isinstance(error, UndecodableImage) for error in crowd.errors.values())
    crowd.errors.clear()
    crowd.replies -= len(bad)
    crowd.check_everyone_was_answered_right(set(range(64)) - bad)
