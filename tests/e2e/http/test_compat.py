"""The two routes of older clients, to the byte."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from tests.e2e.http.pictures import broken_within, grey
from tests.e2e.http.problems import assert_problem

ROUTES = ("/uploadImagesAndGetResults", "/")
GENERATOR_THREADS = 100

NAMES = (  # file name, its line from the one route, its line from the other
    ("cat.png", b"{cat.png}: {grey 90}", b"cat:grey 90"),
    ("test_00.JPEG", b"{test_00.JPEG}: {grey 90}", b"test_00:grey 90"),
    ("two.dots.png", b"{two.dots.png}: {grey 90}", b"two.dots:grey 90"),
    ("no extension", b"{no extension}: {grey 90}", b"no extension:grey 90"),
    (".png", b"{.png}: {grey 90}", b".png:grey 90"),
    ("katze {}: {.png", b"{katze {}: {.png}: {grey 90}", b"katze {}: {:grey 90"),
    ("ünï.png", "{ünï.png}: {grey 90}".encode(), "ünï:grey 90".encode()),
)


@pytest.mark.parametrize("field", ["myfile", "inputFile"])
@pytest.mark.parametrize(("name", "replaced", "course"), NAMES)
def test_gives_one_line(timed, field, name, replaced, course):
    """Each route answers with exactly its one line of text."""
    for route, line in zip(ROUTES, (replaced, course), strict=True):
        response = timed.post(route, files={field: (name, grey(90))})

        assert response.status_code == 200
        assert response.content == line
        assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("picture", "slug"),
    [
        (b"", "empty-image"),
        (b"<svg/>", "unsupported-media-type"),
        (broken_within(), "undecodable-image"),
    ],
)
def test_errors_are_problems(timed, route, picture, slug):
    """What goes wrong is told as everywhere, not in a line that could be taken for a label."""
    assert_problem(timed.post(route, files={"myfile": ("cat.png", picture)}), slug)


@pytest.mark.parametrize(
    ("route", "form"), [(ROUTES[0], "{{{n}.png}}: {{grey {n}}}"), (ROUTES[1], "{n}:grey {n}")]
)
def test_serves_a_generator_of_a_hundred_threads(timed, route, form):
    """A hundred clients that post at once each get the line of their own picture."""

    def thread(number: int) -> bytes:
        # As generators do it: a connection for each picture.
        with httpx2.Client(base_url=timed.base_url, timeout=timed.timeout, trust_env=False) as client:
            return client.post(route, files={"myfile": (f"{number}.png", grey(number))}).content

    with ThreadPoolExecutor(GENERATOR_THREADS) as threads:
        lines = list(threads.map(thread, range(GENERATOR_THREADS)))

    assert lines == [form.format(n=number).encode() for number in range(GENERATOR_THREADS)]
