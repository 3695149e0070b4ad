"""A service without keys: it believes its own machine, and no page of elsewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.e2e.http.pictures import fresh
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.wire import Wire

OWN = (
    "localhost",
    "localhost:1",
    "LOCALHOST:{port}",
    "127.0.0.1",
    "127.0.0.1:{port}",
    "[::1]",
    "[::1]:{port}",
)
FOREIGN = (
    "images.example", "images.example:{port}", "localhost.example", "127.0.0.1.example", "127.0.0.2", "0.0.0.0",
    "192.168.0.1", "[::2]", "localhost@evil.example", "", " ", "[", "[::1", "]", "a]b", "::1", "evil.example#localhost",
    "localhost\x00.evil", "\xff",
)  # fmt: skip
ELSEWHERE = (
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://127.0.0.1.evil.example:{port}"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://["},
    {"Origin": "http://[::1"},
    {"Origin": "http://localhost:{port}@evil.example"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)
SAME = (
    {"Origin": "http://localhost:{port}"},
    {"Origin": "http://localhost:{port}", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {},
)


@pytest.fixture
def own(service):
    """Headers as a page of this very service sends them, with others besides or instead."""

    def headers(fields: dict[str, str]) -> dict[str, str]:
        named = {"Host": "localhost:{port}", **fields}
        return {name: value.replace("{port}", str(service.port)) for name, value in named.items()}

    return headers


@pytest.mark.parametrize("host", OWN)
def test_its_own_names_are_good(api, own, host):
    """A loopback name with any port is this machine."""
    assert api.get("/livez", headers=own({"Host": host})).status_code == 200
    assert api.post("/v1/images", content=fresh(), headers=own({"Host": host})).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_another_name_is_refused(service, host):
    """A name that leads here from elsewhere is refused on every route: it may be a page's that points it here."""
    for line in ("GET /", "GET /livez", "POST /v1/images"):
        with Wire(service) as wire:
            wire.head(line, host=host.replace("{port}", str(service.port)), content_length=0)
            response = wire.response()
        if response.status_code != 400:  # the parser takes no NUL
            assert_problem(response, "forbidden-origin")


def test_no_name_is_refused(service):
    """A request without a Host is not from a browser of today, and not from a client of ours."""
    with Wire(service) as wire:
        wire.send(b"GET /livez HTTP/1.1\r\n\r\n")
        assert_problem(wire.response(), "forbidden-origin")


@pytest.mark.parametrize("fields", ELSEWHERE, ids=str)
@pytest.mark.parametrize("path", ["/v1/images", "/", "/uploadImagesAndGetResults"])
def test_a_page_of_elsewhere_may_not_post(api, own, path, fields):
    """A page that the user happens to visit cannot use the service behind their back."""
    response = api.post(path, files={"f": ("a.png", fresh())}, headers=own(fields))

    assert_problem(response, "forbidden-origin")


@pytest.mark.parametrize("fields", SAME, ids=str)
def test_its_own_page_may_post(api, own, fields):
    """The service's page and programs of this machine may post."""
    assert api.post("/v1/images", content=fresh(), headers=own(fields)).status_code == 200


def test_a_page_of_elsewhere_may_not_delete(api, own):
    """Nor does it delete what it may have guessed."""
    place = f"/v1/images/{api.post('/v1/images', content=fresh()).json()['id']}"

    assert_problem(api.delete(place, headers=own(ELSEWHERE[0])), "forbidden-origin")
    assert api.get(place).status_code == 200


def test_a_page_of_elsewhere_may_not_read(api, own):
    """No response gives another origin leave to read it, and a preflight request gets none either."""
    answer = api.get("/metrics", headers=own(ELSEWHERE[0]))
    preflight = api.options(
        "/v1/images", headers=own({**ELSEWHERE[0], "Access-Control-Request-Method": "POST"})
    )

    for response in (answer, preflight):
        assert not [name for name in response.headers if name.startswith("access-control-")]
    assert_problem(preflight, "invalid-request", status=405)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_it_does_not_listen_elsewhere_without_keys(tmp_path, host):
    """To serve others without keys has to be said; otherwise it does not start, and says the mend."""
    command = [
        sys.executable,
        "-m",
        "iraas",
        "up",
        "--host",
        host,
        "--port",
        "0",
        "--data",
        str(tmp_path / "data"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 2
    assert "IRAAS_API_KEYS" in ended.stderr
    assert "--no-auth" in ended.stderr
