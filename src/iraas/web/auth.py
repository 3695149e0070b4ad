"""request head -> owner. API keys, or on a loopback address the rules that stand in for them.

Without keys the server believes its own machine only: the `Host` must be a loopback name (a page of
elsewhere can point its own name at 127.0.0.1: DNS rebinding), and no other origin may post.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from iraas.errors import ForbiddenOrigin, Unauthorized

ANYONE = "anyone"  # the owner of everything while there are no keys
OPEN_PATHS = frozenset({"/", "/livez", "/readyz"})  # with GET or HEAD; the page's files too
PAGE_PREFIX = "/page/"
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def new_key(name: str) -> tuple[str, str]:
    """A fresh key of 256 random bits, and its `NAME:sha256` for `IRAAS_API_KEYS`."""
    key = f"iraas_{secrets.token_urlsafe(32)}"
    return key, f"{name}:{hashlib.sha256(key.encode()).hexdigest()}"


class Keys:
    """The configured keys, hashed. Plain SHA-256 is enough: keys are 256 random bits, not passwords."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._hashes: list[tuple[str, bytes]] = []
        self.replace(entries)

    def __len__(self) -> int:
        return len(self._hashes)

    def replace(self, entries: Iterable[str]) -> None:
        """From now on these, and no others."""
        self._hashes = [
            (name, bytes.fromhex(digest)) for name, digest in (entry.split(":") for entry in entries)
        ]

    def owner(self, authorization: str) -> str:
        """The name of the key in an `Authorization` header. Raises `Unauthorized`."""
        scheme, _, key = authorization.partition(" ")
        presented = hashlib.sha256(key.strip().encode()).digest()
        # Every hash is compared, so that the time taken tells nothing of which came close.
        matches = [name for name, known in self._hashes if hmac.compare_digest(presented, known)]
        if scheme.lower() != "bearer" or not matches:
            raise Unauthorized("send `Authorization: Bearer KEY`; `iraas keys new NAME` makes a key")
        return matches[0]


class Gatekeeper:
    """Decides who a request is from. `needs_key`: also while there are none, so that nobody is let in."""

    def __init__(self, keys: Keys, *, loopback_only: bool, needs_key: bool = False) -> None:
        self._keys = keys
        self._needs_key = needs_key
        self._loopback_only = loopback_only

    def owner(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        """The owner. Raises `Unauthorized` or `ForbiddenOrigin`."""
        if self._keys or self._needs_key:
            if method in ("GET", "HEAD") and (path in OPEN_PATHS or path.startswith(PAGE_PREFIX)):
                return ANYONE
            return self._keys.owner(headers.get("authorization", ""))
        host = headers.get("host", "")
        if self._loopback_only and _hostname(host) not in _LOOPBACK_HOSTS:
            raise ForbiddenOrigin(
                f"{host!r} is not a name of this machine; use localhost, or set IRAAS_API_KEYS"
            )
        if method not in _SAFE:
            self._refuse_other_origins(host, headers)
        return ANYONE

    def _refuse_other_origins(self, host: str, headers: Mapping[str, str]) -> None:
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != host:
            raise ForbiddenOrigin(f"pages of {origin!r} may not post here; set IRAAS_API_KEYS to let them")
        if origin is None and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise ForbiddenOrigin("pages of other origins may not post here; set IRAAS_API_KEYS to let them")


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
