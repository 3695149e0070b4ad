"""`iraas classify --url`: by a service, several pictures at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.classify_stand_ins import BAD, DOWN, REFUSED, SICK, FakeClient, fill, run

from iraas.cli import classify_roads
from iraas.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> type[FakeClient]:
    """The stand-in, in the client's place."""
    monkeypatch.setattr(classify_roads, "AsyncClient", FakeClient)
    return FakeClient


def test_a_service_is_asked_for_several_at_once(folder: Path, service: type[FakeClient]) -> None:
    """With --url, `--concurrency` pictures go at once, and the rows keep the pictures' order."""
    fill(folder, a=b"a", b=b"b", c=BAD, d=b"d", e=SICK, f=b"f")
    result = run(".", "--url", "http://iraas.test", "--api-key", "secret", "--json", "--concurrency", "2")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("label", line.get("slug")) for line in lines] == [
        "a", "b", "undecodable-image", "d", "backend-unavailable", "f",
    ]  # fmt: skip
    assert service.most_at_once == 2
    assert service.given == ("http://iraas.test", "secret")
    assert result.exit_code == 1


def test_the_key_comes_from_the_environment(
    folder: Path, service: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """IRAAS_API_KEY serves where --api-key is not given, so that no key need stand in a command line."""
    monkeypatch.setenv("IRAAS_API_KEY", "from-the-environment")
    fill(folder, d=b"d")
    run("d.png", "--url", "http://iraas.test")

    assert service.given == ("http://iraas.test", "from-the-environment")


@pytest.mark.parametrize("trouble", [DOWN, REFUSED])
def test_what_would_fail_for_every_picture_ends_the_command(
    folder: Path, service: type[FakeClient], trouble: bytes
) -> None:
    """A service that was never reached, or refuses the key, is said once and not for each of a thousand."""
    fill(folder, b=trouble, c=trouble, d=trouble)
    result = run(".", "--url", "http://iraas.test", "--concurrency", "2")

    assert isinstance(result.exception, ConfigurationError)
    assert result.stdout == ""


def test_a_service_that_goes_away_in_between_costs_only_rows(folder: Path, service: type[FakeClient]) -> None:
    """Once something was answered, a picture that finds no service gets its row, and the others go on."""
    fill(folder, b=b"b", c=DOWN, d=b"d")
    result = run(".", "--url", "http://iraas.test", "--concurrency", "1", "--json")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("label", line.get("slug")) for line in lines] == ["b", "unreachable", "d"]
    assert result.exit_code == 1
