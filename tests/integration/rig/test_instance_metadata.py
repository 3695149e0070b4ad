"""What an instance may know of itself, asked for by botocore, by our own reader, and as cloud-init crawls it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from threading import Thread

import pytest
from botocore.utils import IMDSRegionProvider, InstanceMetadataFetcher, InstanceMetadataRegionFetcher
from tests.doubles.program import KEYS
from tests.rig.metadata import TOKEN_HEADER, TTL_HEADER, InstanceMetadata

from iraas.clock import SystemClock
from iraas.fleet.ec2_metadata import Metadata, Plans

Ask = Callable[..., tuple[int, str]]
NOTICE = "2026-11-22T08:22:00Z"


@pytest.fixture
def clock() -> list[float]:
    """Seconds; the test moves them."""
    return [0.0]


@pytest.fixture
def metadata(clock: list[float]) -> InstanceMetadata:
    """An instance's."""
    return InstanceMetadata(
        instance_id="i-0123456789abcdef0", user_data="#!/bin/sh\n", clock=lambda: clock[0]
    )


@pytest.fixture
def port(metadata: InstanceMetadata) -> Iterator[int]:
    """Where it is served meanwhile, in another thread: those who ask here wait."""
    loop = asyncio.new_event_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    server = loop.run_until_complete(metadata.serve(listening))
    thread = Thread(target=loop.run_forever)
    thread.start()
    yield listening.getsockname()[1]
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(server.wait_closed())
    loop.close()


@pytest.fixture
def ask(port: int) -> Ask:
    """One request: status and text."""

    def request(path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    return request


@pytest.fixture
def get(ask: Ask) -> Ask:
    """A request with a token that lasts a minute."""
    _, token = ask("/latest/api/token", "PUT", {TTL_HEADER: "60"})
    return lambda path: ask(path, headers={TOKEN_HEADER: token})


@pytest.mark.parametrize("path", ["/", "/latest/meta-data/", "/latest/user-data", "/latest/nothing"])
def test_nothing_is_told_without_a_token(ask: Ask, path: str) -> None:
    """A request of version 1, or with a token that was made up, gets 401, whatever it asks for."""
    assert ask(path)[0] == 401
    assert ask(path, headers={TOKEN_HEADER: "made-up"})[0] == 401


def test_a_token_ends(ask: Ask, get: Ask, clock: list[float]) -> None:
    """A token holds for the seconds that were asked for, and gets 401 from then on."""
    assert get("/latest/meta-data/instance-id") == (200, "i-0123456789abcdef0")

    clock[0] = 59.9
    assert get("/latest/meta-data/instance-id")[0] == 200
    clock[0] = 60.0
    assert get("/latest/meta-data/instance-id")[0] == 401


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("PUT", {}, 400),
        ("PUT", {TTL_HEADER: "0"}, 400),
        ("PUT", {TTL_HEADER: "21601"}, 400),
        ("PUT", {TTL_HEADER: "soon"}, 400),
        ("PUT", {TTL_HEADER: "60", "X-Forwarded-For": "10.0.0.1"}, 403),
        ("GET", {TTL_HEADER: "60"}, 405),
        ("PUT", {TTL_HEADER: "21600"}, 200),
    ],
)
def test_tokens_are_given_as_aws_gives_them(
    ask: Ask, method: str, headers: dict[str, str], status: int
) -> None:
    """A token takes a PUT with a time to live from 1 s to six hours, and is not given to a proxy."""
    assert ask("/latest/api/token", method, headers)[0] == status


def test_every_listed_item_is_there(get: Ask) -> None:
    """Following each listing, as cloud-init does, ends at values alone; every version has them."""
    versions = get("/")[1].split()
    assert {"2009-04-04", "2021-03-23", "latest"} <= set(versions)

    def crawl(path: str) -> Iterator[str]:
        status, text = get(path)
        assert status == 200, path
        for line in text.splitlines() if path.endswith("/") else ():
            yield from crawl(path + line)
        if not path.endswith("/"):
            yield path

    for version in ("latest", "2009-04-04"):
        assert get(f"/{version}/")[1].split() == ["meta-data", "dynamic", "user-data"]
        found = {*crawl(f"/{version}/meta-data/"), *crawl(f"/{version}/dynamic/")}
        identity = "dynamic/instance-identity/document"
        wanted = {"meta-data/instance-id", "meta-data/placement/region", identity}
        assert {f"/{version}/{item}" for item in wanted} <= found
        assert any(item.startswith(f"/{version}/meta-data/network/interfaces/macs/0a:") for item in found)


def test_botocore_finds_the_keys_of_the_role(port: int, metadata: InstanceMetadata) -> None:
    """The AWS SDK's own reader gets the role's name and keys, and when they end."""
    fetcher = InstanceMetadataFetcher(base_url=f"http://127.0.0.1:{port}/", env={})
    found = fetcher.retrieve_iam_role_credentials()

    assert found["role_name"] == metadata.role
    assert (found["access_key"], found["secret_key"]) == KEYS
    assert found["expiry_time"] > "2026"


def test_botocore_finds_the_region(port: int) -> None:
    """The AWS SDK's own reader gets the region."""
    fetcher = InstanceMetadataRegionFetcher(base_url=f"http://127.0.0.1:{port}/", env={})
    provider = IMDSRegionProvider(session=None, environ={}, fetcher=fetcher)
    assert provider.provide() == "us-east-1"


def test_our_instance_sees_what_is_meant_for_it(port: int, metadata: InstanceMetadata) -> None:
    """`iraas instance` reads the target state, a spot interruption and a recommendation, once there is one."""
    read = Metadata(clock=SystemClock(), endpoint=f"http://127.0.0.1:{port}")
    assert read.instance_id() == metadata.instance_id
    assert read.plans() == Plans(target_state="InService", taken_at=None, rebalance=False)

    metadata.target_lifecycle_state = "Terminated"
    metadata.spot_action = metadata.rebalance = NOTICE
    assert read.plans() == Plans(target_state="Terminated", taken_at=1_795_335_720.0, rebalance=True)

    metadata.target_lifecycle_state = None
    assert read.plans().target_state == ""


def test_a_notice_is_not_there_before_it_is_given(get: Ask, metadata: InstanceMetadata) -> None:
    """Spot notices and recommendations are 404 until they are set, and then say their time as AWS does."""
    items = {
        "spot/instance-action": {"action": "terminate", "time": NOTICE},
        "events/recommendations/rebalance": {"noticeTime": NOTICE},
    }
    assert {get(f"/latest/meta-data/{item}")[0] for item in items} == {404}

    metadata.spot_action = metadata.rebalance = NOTICE

    assert {item: json.loads(get(f"/latest/meta-data/{item}")[1]) for item in items} == items
    assert get("/latest/meta-data/spot/termination-time") == (200, NOTICE)


def test_an_instance_without_user_data_has_none(get: Ask, metadata: InstanceMetadata) -> None:
    """User data is there as it was given, and 404 when none was."""
    assert get("/latest/user-data") == (200, "#!/bin/sh\n")
    metadata.user_data = ""
    assert get("/latest/user-data")[0] == 404
    assert "user-data" not in get("/latest/")[1]
