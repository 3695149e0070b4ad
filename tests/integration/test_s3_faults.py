"""The store of S3 on a wire that breaks: after each fault, and among many, the promises hold."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.doubles.moto import Moto

from iraas.blobs.s3 import S3Blobs
from iraas.errors import BackendUnavailable
from iraas.testing.blob_contract import listed, put_all
from iraas.testing.proxy import FAULTS, Fault, Plan, Proxy

DATA = bytes(range(256)) * 1_172  # 300 KB
EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.lower())


@pytest.fixture(scope="module")
def moto():
    """One for this file."""
    with Moto() as server:
        yield server


@pytest.fixture(scope="module")
def client(moto):
    """The SDK's own, past the proxy."""
    client = moto.session().create_client("s3", region_name=moto.region, endpoint_url=moto.endpoint)
    yield client
    client.close()


@pytest.fixture
def bucket(client, request):
    """A bucket of its own."""
    name = f"faults-{abs(hash(request.node.name))}"
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def proxy(moto):
    """The wire."""
    with Proxy(moto.endpoint) as proxy:
        yield proxy


def store(server, proxy, bucket, **more):
    """A store at the wire's end."""
    given = {"session": server.session(), "region": server.region, "endpoint": proxy.endpoint}
    return S3Blobs(bucket, **given, max_bytes=len(DATA), **more)


@pytest.fixture
async def blobs(moto, proxy, bucket):
    """The store, with nothing wrong yet."""
    proxy.plan = Plan(delay=0.01)
    proxy.requests.clear()
    blobs = store(moto, proxy, bucket)
    yield blobs
    await blobs.close()


@EACH
async def test_a_put_survives(blobs, proxy, fault):
    """Promise 2: what `put` returned for is there, whole, also in place of another object."""
    await blobs.put("cat", b"before")
    proxy.plan.script.append(fault)
    assert await blobs.put("cat", DATA, metadata={"owner": "me"})
    blob = await blobs.get("cat")
    assert (blob.data, blob.info.metadata) == (DATA, {"owner": "me"})


@EACH
async def test_a_put_if_absent_survives(blobs, proxy, fault):
    """Promise 3: who put the object is told so, whatever became of his first request."""
    proxy.plan.script.append(fault)
    assert await blobs.put("cat", DATA, metadata={"owner": "me"}, if_absent=True)
    blob = await blobs.get("cat")
    assert (blob.data, blob.info.metadata) == (DATA, {"owner": "me"})
    assert not await blobs.put("cat", b"other", if_absent=True)


@EACH
async def test_a_put_that_comes_second_survives(blobs, proxy, fault):
    """Promise 3: who comes second is told so, whatever became of his first request."""
    assert await blobs.put("cat", DATA, if_absent=True)
    proxy.plan.script.append(fault)
    assert not await blobs.put("cat", b"other", if_absent=True)
    assert (await blobs.get("cat")).data == DATA


@EACH
async def test_a_look_back_survives(blobs, proxy, fault):
    """Promise 3: also the question who made the object may fail, and is asked again."""
    proxy.plan.script.extend([Fault.REPLY_LOST, Fault.NONE, fault])
    assert await blobs.put("cat", DATA, if_absent=True)
    assert not proxy.plan.script


@EACH
async def test_a_get_survives(blobs, proxy, fault):
    """Promise 1: what is read is whole."""
    await blobs.put("cat", DATA)
    proxy.plan.script.append(fault)
    assert (await blobs.get("cat")).data == DATA
    proxy.plan.script.append(fault)
    assert (await blobs.head("cat")).size == len(DATA)
    for absent in (blobs.get, blobs.head):
        proxy.plan.script.append(fault)
        assert await absent("dog") is None


@EACH
async def test_a_delete_survives(blobs, proxy, fault):
    """Promise 4: it succeeds, and the object is gone."""
    await blobs.put("cat", DATA)
    proxy.plan.script.append(fault)
    await blobs.delete("cat")
    assert await blobs.get("cat") is None


@pytest.fixture(scope="module")
def two_pages(s3):
    """A bucket with more objects than a page has; on the faster one of the stand-ins."""
    name, keys = "two-pages", [f"image-{number:04}" for number in range(1_005)]
    client = s3.session().create_client("s3", region_name=s3.region, endpoint_url=s3.endpoint)
    client.create_bucket(Bucket=name)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: client.put_object(Bucket=name, Key=key), keys))
    client.close()
    return name, keys


@EACH
async def test_a_list_survives(s3, two_pages, fault):
    """Promise 5: each object once and in order, when the first page fails and when a later one does."""
    name, keys = two_pages
    again = [] if fault is Fault.DELAYED else [Fault.NONE]
    async with Proxy(s3.endpoint, Plan(delay=0.01)) as proxy:
        proxy.plan.script.extend([fault, *again, fault])
        blobs = store(s3, proxy, name)
        assert list(await listed(blobs)) == keys
        await blobs.close()
        assert not proxy.plan.script


async def test_among_many_faults_exactly_one_wins(blobs, proxy):
    """Promise 3: of racing writers on a wire that fails half of the time exactly one is told that it won."""
    proxy.plan.rate = 0.5
    for key in ("a", "b", "c"):
        won = await asyncio.gather(*(blobs.put(key, b"%d" % n * 1_000, if_absent=True) for n in range(8)))
        blob = await blobs.get(key)
        assert sum(won) == 1
        assert blob.data == b"%d" % won.index(True) * 1_000


async def test_an_outage_is_said_in_time_and_survived(blobs, proxy, monkeypatch):
    """While nobody listens a call fails with the bucket's name and the way's state; afterwards all is well."""
    await blobs.put("cat", DATA)
    monkeypatch.setattr("iraas.blobs.s3_attempts.TOTAL_SECONDS", 0.5)
    proxy.cut()
    calls = {
        "GetObject": lambda: blobs.get("cat"),
        "PutObject": lambda: blobs.put("cat", b""),
        "ListObjectsV2": lambda: listed(blobs),
    }
    for operation, call in calls.items():
        began = time.monotonic()
        words = f"S3: {operation} on {blobs.place.bucket}: (no connection|the connection broke)"
        with pytest.raises(BackendUnavailable, match=words):
            await call()
        assert time.monotonic() - began < 20
    proxy.mend()
    monkeypatch.undo()
    assert (await blobs.get("cat")).data == DATA


async def test_an_outage_in_the_middle_of_a_call_is_survived(blobs, proxy):
    """A call that began while nobody listened succeeds once somebody does."""
    await blobs.put("cat", DATA)
    proxy.cut()
    getting = asyncio.create_task(blobs.get("cat"))
    await asyncio.sleep(0.3)  # as long as some attempts take
    proxy.mend()
    assert (await getting).data == DATA


async def test_a_silent_service_is_said_in_time_and_survived(blobs, moto, proxy, bucket, monkeypatch):
    """While requests are taken and not answered calls end at their deadline, and none of them takes effect."""
    await blobs.put("cat", DATA)
    monkeypatch.setattr("iraas.blobs.s3_attempts.TOTAL_SECONDS", 0.5)
    monkeypatch.setattr("iraas.blobs.s3_objects.TIMEOUT", "60s")  # no other deadline helps
    monkeypatch.setattr("iraas.blobs.s3_pages.READ_SECONDS", 60.0)
    blobs = store(moto, proxy, bucket)
    proxy.stall()
    began = time.monotonic()
    calls = [blobs.get("cat"), blobs.put("dog", b"", if_absent=True), blobs.delete("cat"), listed(blobs)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [BackendUnavailable] * 4
    assert "no answer in time" in str(outcomes[0])
    assert time.monotonic() - began < 20
    proxy.mend()
    monkeypatch.undo()
    assert list(await listed(blobs)) == ["cat"]
    await blobs.close()


async def test_every_request_is_told(blobs, proxy, moto, bucket):
    """`on_request` hears of each request that went out, further attempts too, by S3's name of the operation."""
    told = []
    counted = store(moto, proxy, bucket, on_request=told.append)
    proxy.plan.script.extend([Fault.LOST, Fault.REFUSED])
    await counted.put("cat", b"")
    await counted.head("cat")  # has no byte to get
    await put_all(counted, ["a", "b"])
    await listed(counted)
    await counted.get("a")
    await counted.delete("a")
    await counted.close()

    named = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
    went = [
        "ListObjectsV2" if "list-type" in request.path else named[request.method]
        for request in proxy.requests
    ]
    assert told == went
    assert told[:5] == ["PutObject", "PutObject", "PutObject", "GetObject", "HeadObject"]
