"""a secret's text, and the setting -> API keys: at the start, and every five minutes, since keys come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from iraas.errors import ConfigurationError, IraasError
from iraas.settings import key_entries
from iraas.telemetry import Log
from iraas.web.auth import Keys

READ_SECONDS = 300.0  # between two readings


class KeySecret:
    """The text of a Secrets Manager secret: NAME:sha256 of each key, with commas or a line each.

    `read` and `read_now` give the text, the latter in the caller's thread; they raise `IraasError`. A secret that
    cannot be read later, or is no such text, leaves the keys as they were.
    """

    def __init__(
        self,
        *,
        read_now: Callable[[], str],
        read: Callable[[], Awaitable[str]],
        own: tuple[str, ...],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._read_now = read_now
        self._read = read
        self._own = own  # entries of the setting
        self._sleep = sleep
        self._known: tuple[str, ...] | None = None
        self._said = ""  # of the trouble that lasts

    def first(self, keys: Keys) -> None:
        """Read it for the start. Raises `ConfigurationError`."""
        try:
            self._take(keys, self._read_now())
        except ValueError as error:
            raise ConfigurationError(f"IRAAS_API_KEYS_SECRET: {error}") from None

    async def keep(self, keys: Keys) -> None:
        """Read it again and again, until cancelled."""
        while True:
            await self._sleep(READ_SECONDS)
            try:
                self._take(keys, await self._read())
                self._said = ""
            except (IraasError, ValueError) as error:
                if str(error) != self._said:
                    Log()("background.failed", level="error", task="api keys", error=str(error))
                self._said = str(error)

    def _take(self, keys: Keys, text: str) -> None:
        """Raises `ValueError`."""
        entries = key_entries(text)
        if entries != self._known:
            keys.replace((*self._own, *entries))
            Log()("keys.read", level="info" if len(keys) else "warning", keys=len(keys))
        self._known = entries
