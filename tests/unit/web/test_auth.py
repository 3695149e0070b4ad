"""iraas.web.auth: who a request is from."""

from __future__ import annotations

import pytest

from iraas.errors import ForbiddenOrigin, Unauthorized
from iraas.web.auth import ANYONE, Gatekeeper, Keys, new_key

ANNS, ANN = new_key("ann")
BOBS, BOB = new_key("bob")
KEYED = Gatekeeper(Keys([ANN, BOB]), loopback_only=True)
OPEN = Gatekeeper(Keys([]), loopback_only=True)
HERE = {"host": "localhost:8080"}


def test_a_key_names_its_owner():
    """Each key is known by its hash, and tells whose it is."""
    assert KEYED.owner("POST", "/v1/images", {"authorization": f"Bearer {ANNS}"}) == "ann"
    assert KEYED.owner("POST", "/v1/images", {"authorization": f"bearer {BOBS}"}) == "bob"


def test_a_key_is_not_kept():
    """What the server is given cannot be turned back into the key, and two keys are never the same."""
    assert ANNS not in ANN
    assert new_key("ann")[0] != ANNS


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {ANNS}", ANNS, f"Bearer {ANN}"])
def test_anything_else_is_unauthorized(header):
    """No key, another scheme, or the hash in the key's place: 401."""
    with pytest.raises(Unauthorized):
        KEYED.owner("GET", "/v1/images/x", {"authorization": header})


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/page/page.js"])
def test_the_page_and_health_are_open(path):
    """With keys, only the page with its files, liveness and readiness need none."""
    assert KEYED.owner("GET", path, {}) == ANYONE


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("GET", "/metrics"), ("GET", "/docs"), ("GET", "/openapi.json")]
)
def test_the_rest_is_not(method, path):
    """Posting to the page's path, numbers and descriptions need a key."""
    with pytest.raises(Unauthorized):
        KEYED.owner(method, path, {})


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080"]
)
def test_without_keys_this_machine_is_believed(host):
    """A loopback name with any port is this machine."""
    assert OPEN.owner("POST", "/", {"host": host}) == ANYONE


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", "[::1", "10.0.0.1"]
)
def test_without_keys_another_name_is_refused(host):
    """A page of elsewhere that points its own name here (DNS rebinding) gets nothing."""
    with pytest.raises(ForbiddenOrigin):
        OPEN.owner("GET", "/v1/images/x", {"host": host})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://localhost:9"},
    ],
)
def test_without_keys_other_origins_may_not_post(headers):
    """A page of another origin, or of another port, cannot post from a browser of this machine."""
    with pytest.raises(ForbiddenOrigin):
        OPEN.owner("POST", "/v1/images", {**HERE, **headers})


def test_without_keys_the_own_page_may_post():
    """The page that this server sent is of its own origin."""
    headers = {**HERE, "origin": "http://localhost:8080", "sec-fetch-site": "same-origin"}
    assert OPEN.owner("POST", "/v1/images", headers) == ANYONE


def test_no_auth_beyond_loopback_takes_any_name():
    """With --no-auth on another address the names of this machine are not known; origins still count."""
    everyone = Gatekeeper(Keys([]), loopback_only=False)
    assert everyone.owner("POST", "/", {"host": "pictures.example"}) == ANYONE
    with pytest.raises(ForbiddenOrigin):
        everyone.owner("POST", "/", {"host": "pictures.example", "origin": "https://evil.example"})
