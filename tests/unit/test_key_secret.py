"""iraas.wiring.keys: API keys that stand in a secret, and change there."""

from __future__ import annotations

import hashlib

import pytest

from iraas.errors import BackendUnavailable, ConfigurationError, Unauthorized
from iraas.settings import Settings
from iraas.telemetry import Telemetry
from iraas.web.auth import ANYONE, Gatekeeper, Keys
from iraas.wiring.embedded import EmbeddedBackend
from iraas.wiring.keys import READ_SECONDS, KeySecret
from iraas.wiring.overrides import NO_OVERRIDES


def entry(name: str) -> str:
    """The key of this name is its name."""
    return f"{name}:{hashlib.sha256(name.encode()).hexdigest()}"


class Enough(Exception):
    """The test has seen what it wanted."""


class Secret:
    """A secret whose texts come one after the other: an error is raised."""

    def __init__(self, *texts: str | Exception, own: tuple[str, ...] = ()) -> None:
        self.keys = Keys(own)
        self.slept: list[float] = []
        self._texts = list(texts)
        self.secret = KeySecret(read_now=self._next, read=self._read, own=own, sleep=self._sleep)

    def may(self, name: str) -> bool:
        """Whether this key is let in."""
        try:
            return self.keys.owner(f"Bearer {name}") == name
        except Unauthorized:
            return False

    async def run(self) -> None:
        """Read the first text, then all others."""
        self.secret.first(self.keys)
        with pytest.raises(Enough):
            await self.secret.keep(self.keys)

    def _next(self) -> str:
        if not self._texts:
            raise Enough
        text = self._texts.pop(0)
        if isinstance(text, Exception):
            raise text
        return text

    async def _read(self) -> str:
        return self._next()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_keys_of_the_secret_join_those_of_the_setting():
    """With commas, lines and blanks between them."""
    secret = Secret(f" {entry('bob')},\n{entry('cat')}\n", own=(entry("ann"),))
    await secret.run()
    assert all(secret.may(name) for name in ("ann", "bob", "cat"))
    assert not secret.may("dan")


async def test_a_key_that_is_taken_out_is_refused_five_minutes_later():
    """Changes of the secret count without a restart, and keys of the setting stay."""
    secret = Secret(entry("bob"), entry("cat"), own=(entry("ann"),))
    await secret.run()
    assert [secret.may(name) for name in ("ann", "bob", "cat")] == [True, False, True]
    assert secret.slept == [READ_SECONDS] * 2
    assert READ_SECONDS == 300


async def test_a_secret_that_cannot_be_read_any_more_changes_nothing(capsys):
    """Away, denied or spoilt: who was let in is let in, and it is said once."""
    away = BackendUnavailable("Secrets Manager: GetSecretValue: Throttling")
    secret = Secret(entry("bob"), away, away, "bob:oops")
    await secret.run()
    assert secret.may("bob")
    said = capsys.readouterr()
    text = said.out + said.err
    assert text.count("Throttling") == 1
    assert text.count("is not NAME:sha256") == 1
    assert "oops" not in text


def test_a_text_that_is_no_list_of_keys_ends_the_start():
    """The message names the entry and the mend, and never quotes what may be a key."""
    secret = Secret("bob:my-secret-key")
    with pytest.raises(ConfigurationError, match="iraas keys new bob") as caught:
        secret.secret.first(secret.keys)
    assert "my-secret-key" not in str(caught.value)


def test_without_any_key_nobody_is_let_in():
    """A secret that is empty is no permission for everyone; the page and health stay open."""
    gatekeeper = Gatekeeper(Keys(()), loopback_only=True, needs_key=True)
    with pytest.raises(Unauthorized):
        gatekeeper.owner("GET", "/v1/fleet", {"host": "localhost"})
    assert gatekeeper.owner("GET", "/livez", {}) == ANYONE


async def test_a_secret_is_not_passed_over_on_one_machine(tmp_path):
    """A setting that would be believed in and not read ends the start: the machine would be open."""
    settings = Settings(api_keys_secret="arn:aws:secretsmanager:x", data=tmp_path, host="0.0.0.0")
    backend = EmbeddedBackend(settings, inline=True, overrides=NO_OVERRIDES, telemetry=Telemetry())
    try:
        with pytest.raises(ConfigurationError, match="IRAAS_API_KEYS_SECRET"):
            backend.key_secret()
    finally:
        await backend.close()
