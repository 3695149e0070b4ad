"""SIGTERM under load: nothing lost, no process left, the port free."""

from __future__ import annotations

import asyncio
import os
import socket

from tests.chaos.crowd import Books, Crowd, books_when_quiet, grey, shade
from tests.service import WITH_REPLACEMENTS, Service

from iraas import AsyncClient
from iraas.settings import Settings


async def test_sigterm_under_load_loses_nothing_and_frees_the_port(tmp_path):
    """Stopped in mid-load and started again on the same port and folder: every client has its answer."""
    settings = {"IRAAS_TEST_MODEL": "0.03"}
    first = Service(tmp_path / "data", settings=settings, command=WITH_REPLACEMENTS).start()
    crowd = Crowd(first.url, concurrency=32)
    posting = asyncio.create_task(crowd.post(range(200)))
    await crowd.until(40)

    await asyncio.to_thread(first.stop)  # checks that no process is left
    with socket.create_server(("127.0.0.1", first.port)):
        pass  # the port is free
    with Service(tmp_path / "data", settings=settings, command=WITH_REPLACEMENTS, port=first.port) as second:
        await posting
        books = await books_when_quiet(second.settings)

    crowd.check_everyone_was_answered_right(range(200))
    books.check(answer.id for answer in crowd.answers.values())


async def test_an_accepted_backlog_outlives_a_stop(tmp_path):
    """What waits in the queue when the service stops is answered by the next one, without being asked again."""
    with Service(tmp_path / "data", settings={"IRAAS_TEST_MODEL": "2"}, command=WITH_REPLACEMENTS) as slow:
        async with AsyncClient(slow.url) as client:
            accepted = [await client.submit(grey(number)) for number in range(30)]
    assert len((await Books.read(Settings(data=tmp_path / "data"))).records) < 30

    with Service(
        tmp_path / "data", settings={"IRAAS_TEST_MODEL": "0.001"}, command=WITH_REPLACEMENTS
    ) as quick:
        books = await books_when_quiet(quick.settings)
    books.check(accepted)
    labels = [books.records[job].outcome.label for job in accepted]
    assert labels == [f"grey {shade(number)}" for number in range(30)]


def test_a_second_service_on_the_folder_is_refused(tmp_path):
    """A folder belongs to one `iraas up`: the second says so in one line and exits with code 2."""
    import subprocess

    with Service(tmp_path / "data") as first:
        second = subprocess.run(
            [*WITH_REPLACEMENTS[:2], "iraas", "up"],
            env={**os.environ, "IRAAS_DATA": str(first.data), "IRAAS_PORT": "0"},
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert second.returncode == 2
    assert "is in use by another `iraas up`" in second.stderr
    assert "Traceback" not in second.stderr
