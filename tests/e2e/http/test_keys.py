"""API keys: who gets in, and what one key's owner can see of another's."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
from typing import NamedTuple

import httpx2
import pytest
from tests.e2e.http.pictures import fresh, grey
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import client_of, resting
from tests.e2e.http.wire import Wire
from tests.service import Service

OPEN = ("/", "/page/page.css", "/page/page.js", "/livez", "/readyz")
CLOSED = (
    ("POST", "/v1/images"),
    ("GET", "/v1/images/00000000-0000-7000-8000-000000000000"),
    ("DELETE", "/v1/images/00000000-0000-7000-8000-000000000000"),
    ("POST", "/uploadImagesAndGetResults"),
    ("POST", "/"),
    ("GET", "/v1/fleet"),
    ("GET", "/v1/fleet/events"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/nothing"),
    ("OPTIONS", "/"),
    ("POST", "/livez"),
    ("GET", "/page"),
    ("GET", "//page/page.css"),
)


class Key(NamedTuple):
    """What `iraas keys new NAME` prints."""

    name: str
    key: str
    entry: str


def new_key(name: str) -> Key:
    """A key, made by the command."""
    command = [sys.executable, "-m", "iraas", "keys", "new", name, "--json"]
    return Key(**json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def test_a_key_is_printed_once_with_what_to_do_with_it():
    """For people, the command shows the key and the setting that lets it in."""
    command = [sys.executable, "-m", "iraas", "keys", "new", "carol"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    [key] = [word for word in said if word.startswith("iraas_")]

    assert f"IRAAS_API_KEYS=carol:{hashlib.sha256(key.encode()).hexdigest()}" in said


@pytest.mark.parametrize("name", ["", "a:b", "a,b", "a b", "-a", "x" * 65, "\u202e"])
def test_a_bad_name_gets_no_key(name):
    """A name that would spoil the setting is refused with the mend."""
    command = [sys.executable, "-m", "iraas", "keys", "new", "--", name]
    ended = subprocess.run(command, capture_output=True, text=True)

    assert ended.returncode == 2
    assert "letters, digits" in ended.stderr
    assert ended.stdout == ""


@pytest.fixture(scope="module")
def ann() -> Key:
    """Ann's key."""
    return new_key("ann")


@pytest.fixture(scope="module")
def bob() -> Key:
    """Bob's key."""
    return new_key("bob")


@pytest.fixture(scope="module")
def guarded(start, ann, bob) -> Service:
    """A service that knows both keys, and says all it can."""
    return start(API_KEYS=f"{ann.entry}, {bob.entry}", LOG_LEVEL="debug")


def client_with(service: Service, authorization: str | None) -> httpx2.Client:
    """A client that sends this with each request."""
    return client_of(service, headers={} if authorization is None else {"Authorization": authorization})


@pytest.fixture(scope="module")
def stranger(guarded):
    """A client without a key."""
    with client_with(guarded, None) as client:
        yield client


@pytest.fixture(scope="module")
def anns(guarded, ann):
    """Ann's client."""
    with client_with(guarded, f"Bearer {ann.key}") as client:
        yield client


@pytest.fixture(scope="module")
def bobs(guarded, bob):
    """Bob's client; the scheme's name has no case (RFC 9110, section 11.1)."""
    with client_with(guarded, f"bearer  {bob.key}") as client:
        yield client


@pytest.mark.parametrize("path", OPEN)
def test_the_page_and_the_probes_are_open(stranger, path):
    """The page, which asks for the key, and the probes of a load balancer need none."""
    assert stranger.get(path).status_code == 200


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_everything_else_needs_a_key(stranger, method, path):
    """Without a key nothing else is said, not even what there is."""
    response = stranger.request(method, path)

    assert_problem(response, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization",
    [
        "", "Bearer", "Bearer:", "Bearer {hash}", "Bearer {entry}", "Bearer {key}x", "Bearer {shorter}", "Basic {key}",
        "{key}", "Bearer {key} {key}", "Bearer ann", "Bearer \xe4\xf6", "Bearer " + "x" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_key_opens_nothing(guarded, ann, authorization):
    """Neither a key's hash nor a part of it nor another scheme is a key."""
    digest = hashlib.sha256(ann.key.encode()).hexdigest()
    text = authorization.format(key=ann.key, shorter=ann.key[:-1], hash=digest, entry=ann.entry)
    with client_of(guarded) as client:
        headers = {"Authorization": text.encode("latin-1")}
        assert_problem(client.post("/v1/images", content=fresh(), headers=headers), "unauthorized")


def test_a_stranger_is_refused_before_the_picture_is_read(guarded):
    """No body is read of those who have no key."""
    with Wire(guarded) as wire:
        wire.head(content_length=5_000_000, expect="100-continue")
        assert_problem(wire.response(), "unauthorized")


def test_a_key_opens_everything(anns):
    """With a key all routes are there."""
    answer = anns.post("/v1/images", content=grey(3)).json()

    assert answer["label"] == "grey 3"
    assert anns.get(f"/v1/images/{answer['id']}").json() == answer
    assert anns.post("/", files={"myfile": ("a.png", grey(4))}).text == "a:grey 4"
    assert anns.get("/metrics").status_code == anns.get("/openapi.json").status_code == 200
    assert anns.delete(f"/v1/images/{answer['id']}").status_code == 204


def test_a_key_holder_may_come_from_anywhere(anns):
    """Any name of the server and any page's origin are good, with a key."""
    headers = {
        "Host": "images.example",
        "Origin": "https://elsewhere.example",
        "Sec-Fetch-Site": "cross-site",
    }

    assert anns.post("/v1/images", content=fresh(), headers=headers).status_code == 200


def test_another_owners_picture_is_not_there(anns, bobs):
    """An id of somebody else's is as unknown as one that was never given out, and cannot be deleted."""
    place = f"/v1/images/{anns.post('/v1/images', content=grey(5)).json()['id']}"
    unknown = f"/v1/images/{uuid.uuid4()}"

    for ask in (bobs.get, bobs.delete):
        theirs, nobodys = (assert_problem(ask(path), "not-found") for path in (place, unknown))
        assert theirs["detail"].replace(place[-36:], "") == nobodys["detail"].replace(unknown[-36:], "")
    assert anns.get(place).json()["label"] == "grey 5"


def test_another_owners_pending_picture_is_not_there(guarded, anns, bobs):
    """Nor is one that is not answered yet."""
    with resting(guarded, anns):
        place = anns.post("/v1/images?wait=0", content=grey(6)).headers["location"]
        assert anns.get(place).status_code == 202
        for ask in (bobs.get, bobs.delete):
            assert_problem(ask(place), "not-found")

    assert anns.get(place, params={"wait": 60}).json()["label"] == "grey 6"


def test_two_owners_may_use_the_same_idempotency_key(anns, bobs):
    """A key of one owner never meets the same key of another, whatever they post."""
    same = {"Idempotency-Key": "invoice-2024-000001"}
    one, other = (client.post("/v1/images", content=grey(7), headers=same).json() for client in (anns, bobs))
    again = bobs.post("/v1/images", content=grey(7), headers=same).json()

    assert one["id"] != other["id"] == again["id"]
    assert_problem(anns.get(f"/v1/images/{other['id']}"), "not-found")


def test_keys_are_kept_nowhere(guarded, ann, bob, anns, bobs):
    """Neither log nor store nor queue has a key in it, at whatever level the log is."""
    for client in (anns, bobs):
        client.post("/v1/images", content=fresh()).raise_for_status()
        assert_problem(client.get("/v1/images/1"), "not-found")

    files = [guarded.log, *(path for path in guarded.data.rglob("*") if path.is_file())]
    assert "web.refused" in guarded.log.read_text()
    for key in (ann.key, bob.key):
        assert not [path for path in files if key.encode() in path.read_bytes()]
