"""form -> Reply: one POST over connections that stay open, followed to the answer when it is not there at once."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from yarl import URL

from iraas.errors import ConfigurationError

OUR_PATH = "/v1/images"
KEEP_ALIVE_SECONDS = 4.0  # uvicorn, unless told otherwise, closes a connection that was idle for five
ASK_AGAIN_SECONDS = (0.05, 0.5, 5.0)  # at least, unless Retry-After says how long, at most
CONNECT_SECONDS = 10.0


class Reply(NamedTuple):
    """What came of a request."""

    status: int  # of the last response; 0: there was none
    body: bytes = b""
    trouble: str = ""  # why there is no answer, where the status does not say it


class Target:
    """The service under load. An async context manager; requests are not retried, and redirects not followed."""

    def __init__(self, url: str, *, api_key: str, content_type: str, timeout: float) -> None:
        self.url = _address(url)
        self._headers = {"Content-Type": content_type}
        self._authorization = _authorization(api_key)
        self._timeout = timeout  # seconds, for a request until its answer

    async def __aenter__(self) -> Self:
        await self._reach()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._authorization,
            timeout=aiohttp.ClientTimeout(total=None),  # `ask` has one for the whole of it
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(self, form: bytes) -> Reply:
        """Post the form, and wait until its answer is there."""
        try:
            async with asyncio.timeout(self._timeout):
                async with self._session.post(
                    self.url, data=form, headers=self._headers, allow_redirects=False
                ) as response:
                    body = await response.read()
                if response.status == 202:
                    return await self._follow(response)
                return Reply(response.status, body)
        except TimeoutError:
            return Reply(0, trouble=f"no answer within {self._timeout:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Reply(0, trouble=_words(error))

    async def fleet(self) -> dict[str, Any] | None:
        """What the service says of its workers; None where it says nothing. Raises `OSError` when it is away."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS), self._session.get(self._fleet_url) as response:
                if response.status == 429 or response.status >= 500:
                    raise OSError(f"status {response.status}")
                said = await response.json(content_type=None) if response.status == 200 else None
        except ValueError:
            return None
        except aiohttp.ClientError as error:
            raise OSError(_words(error)) from error
        return said if isinstance(said, dict) else None

    @property
    def _fleet_url(self) -> URL:
        return self.url.origin() / "v1" / "fleet"

    async def _follow(self, accepted: aiohttp.ClientResponse) -> Reply:
        """Ask for the answer where the service said that it will be."""
        location = accepted.headers.get("Location")
        if location is None:
            return Reply(202, trouble="202 without a Location")
        try:
            url = self.url.join(URL(location))
            origin = url.origin()
        except ValueError:
            return Reply(202, trouble="202 with a Location that is no address")
        if origin != self.url.origin():  # the key is for this service alone
            return Reply(202, trouble="202 with a Location elsewhere")
        at_least, usual, at_most = ASK_AGAIN_SECONDS
        said = accepted.headers.get("Retry-After", "")
        while True:
            pause = float(said) if said.isascii() and said.isdigit() else usual
            await asyncio.sleep(min(at_most, max(at_least, pause)))
            async with self._session.get(url, allow_redirects=False) as response:
                body = await response.read()
            # The job is accepted: what cannot be told now (429, 503) will be.
            if response.status not in (202, 429, 503):
                return Reply(response.status, body)
            said = response.headers.get("Retry-After", "")

    async def _reach(self) -> None:
        """Raise `ConfigurationError` now if nobody listens there, rather than once for each picture."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(self.url.host, self.url.port)
        except (OSError, TimeoutError) as error:
            raise ConfigurationError(
                f"{self.url} cannot be reached ({_words(error)}); `iraas up` starts a service"
            ) from error
        writer.close()


def _address(url: str) -> URL:
    try:
        address = URL(url)
        is_web = address.scheme in ("http", "https") and bool(address.host) and not address.fragment
    except ValueError as error:
        raise ConfigurationError(f"url {url!r} is no address: {error}") from error
    if not is_web:
        raise ConfigurationError(f"url {url!r} is not like http://127.0.0.1:8080 or https://example.org/path")
    if address.user or address.password:
        raise ConfigurationError("url must not hold a user or password; give --api-key")
    bare = url.split("?", 1)[0].partition("://")[2]
    return address if "/" in bare else address.with_path(OUR_PATH, keep_query=True)


def _authorization(api_key: str) -> dict[str, str]:
    key = api_key.strip()  # one that was read from a file ends with a newline
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(
            "api_key holds characters that no header can carry; `iraas keys new` prints a key"
        )
    return {"Authorization": f"Bearer {key}"} if key else {}


def _words(error: BaseException) -> str:
    """Few and without addresses, so that equal troubles can be counted."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection ({error.os_error.strerror or type(error.os_error).__name__})"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError | BrokenPipeError):
        return "the connection was closed in place of an answer"
    return getattr(error, "strerror", None) or type(error).__name__
