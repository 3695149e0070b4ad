"""The compatibility routes with a client that behaves like a course's workload generator: a hundred threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from tests.chaos.crowd import grey, shade
from tests.service import WITH_REPLACEMENTS, Service

THREADS = 100


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """A service whose model takes 5 ms a picture."""
    folder = tmp_path_factory.mktemp("generator") / "data"
    with Service(folder, settings={"IRAAS_TEST_MODEL": "0.005"}, command=WITH_REPLACEMENTS) as service:
        yield service


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/", "picture-{number}:grey {shade}"),
        ("/uploadImagesAndGetResults", "{{picture-{number}.png}}: {{grey {shade}}}"),
    ],
)
def test_a_hundred_threads_get_their_own_lines(timed, path, line):
    """Each thread posts one picture as `myfile` at the same time, and reads its own line of text."""

    def post(number: int) -> tuple[int, str, str]:
        files = {"myfile": (f"picture-{number}.png", grey(number), "image/png")}
        reply = httpx2.post(timed.url + path, files=files, timeout=120)
        return reply.status_code, reply.headers["content-type"], reply.text

    with ThreadPoolExecutor(THREADS) as threads:
        replies = list(threads.map(post, range(THREADS)))

    for number, (status, kind, text) in enumerate(replies):
        assert status == 200
        assert kind.startswith("text/plain")
        assert text == line.format(number=number, shade=shade(number))
