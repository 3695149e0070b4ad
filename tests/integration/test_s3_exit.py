"""A process that used S3 ends as any other: with its own exit code, at once."""

import asyncio
import subprocess
import sys
import time

import pytest
from tests.doubles.moto import Moto
from tests.integration.s3_script import answering, fault, found, store
from tests.integration.scripted_server import keep_silent
from tests.waiting import until

from iraas.blobs import s3_ending
from iraas.errors import BackendUnavailable

TIMES = 4  # that each ending is tried
MANY = 12  # the same, where every third process would abort

PROGRAM = """
import asyncio, sys
from botocore.session import Session
from iraas.blobs.s3 import S3Blobs

ending, endpoint = sys.argv[1:]

async def main():
    session = Session()
    session.set_credentials("test", "testsecret")
    blobs = S3Blobs("ends", session=session, region="us-east-1", endpoint=endpoint, max_bytes=1_000_000)
    if ending != "silence":
        for number in range(3):
            await blobs.put(f"image-{number}", b"picture" * 1_000)
            await blobs.get(f"image-{number}")
    if ending in ("busy", "silence"):
        calls = [asyncio.create_task(blobs.get("image-0")) for _ in range(20)]
        await asyncio.sleep(0.01)
        if ending == "silence":
            await asyncio.sleep(0.2)
    if ending == "closed":
        await blobs.close()
    if ending == "kept":
        globals()["kept"] = blobs
        raise SystemExit(3)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def endpoint():
    """A server with the bucket."""
    with Moto() as server:
        client = server.session().create_client("s3", region_name=server.region, endpoint_url=server.endpoint)
        client.create_bucket(Bucket="ends")
        client.close()
        yield server.endpoint


@pytest.mark.parametrize(("ending", "code"), [("closed", 0), ("kept", 3), ("busy", 0)])
def test_ends_with_its_own_code(endpoint, ending, code):
    """Whether the store was closed, or kept in a module of a process that fails, or in the middle of its calls."""
    command = [sys.executable, "-c", PROGRAM, ending, endpoint]
    children = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(TIMES)]
    ends = [(child.communicate(timeout=60)[1], child.returncode) for child in children]
    assert ends == [("", code)] * TIMES


def test_ends_although_nobody_answers():
    """Calls that hang when the process ends do not hold it."""
    with answering(*[keep_silent] * 20) as server:
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, "silence", server.url],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.monotonic() - began < 40  # a quiet machine takes two


AT_ONCE = """
import asyncio, os, sys
import obstore
from iraas.blobs.s3_ending import begin, wait_at_exit

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # there the other thread comes too late more often
place = {"region": "eu-west-1", "endpoint": sys.argv[1], "access_key_id": "a", "secret_access_key": "b"}
store = obstore.store.S3Store("pictures", **place, client_options={"allow_http": True})
wait_at_exit()

async def main():
    for _ in range(3):
        result = await begin(obstore.get_async, store, "cat")
        await begin(result.bytes_async)

asyncio.run(main())
"""


def test_ends_at_once_after_a_call():
    """Nothing lies between the last result and the end; every third such process would abort."""
    with answering(*[found(bytes(100_000))] * 3 * MANY) as server:
        command = [sys.executable, "-c", AT_ONCE, server.url]
        ends = [subprocess.run(command, capture_output=True, timeout=60, check=False) for _ in range(MANY)]
    assert [(end.returncode, end.stderr) for end in ends] == [(0, b"")] * MANY


async def test_nothing_is_waited_for_that_is_over(monkeypatch):
    """An error that somebody keeps, and a call that was cancelled, do not hold the process."""
    monkeypatch.setattr(s3_ending, "MOST_SECONDS", 60.0)
    kept = []
    with answering(fault(403, "AccessDenied"), keep_silent) as server:
        blobs = store(server)
        with pytest.raises(BackendUnavailable) as error:
            await blobs.get("cat")
        kept.append(error)
        hanging = asyncio.create_task(blobs.get("dog"))
        await asyncio.to_thread(until, lambda: len(server.seen) == 2, what="the second call began")
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        began = time.monotonic()
        await asyncio.to_thread(s3_ending._wait)
        assert time.monotonic() - began < s3_ending.MOST_SECONDS / 2
        await blobs.close()
