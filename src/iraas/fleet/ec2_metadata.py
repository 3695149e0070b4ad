"""http://169.254.169.254 -> what EC2 and its group mean to do with this instance. IMDSv2.

A session's token is asked for with PUT and sent with every GET (Amazon EC2 User Guide, Use the Instance Metadata
Service to access instance metadata). botocore's own fetcher knows credentials and the region alone.
"""

from __future__ import annotations

import json
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from iraas.clock import Clock
from iraas.errors import BackendUnavailable, ConfigurationError

ENDPOINT = "http://169.254.169.254"
TOKEN_SECONDS = 21_600  # the longest that a token may live
ANSWER_SECONDS = 2.0  # the service is on this very machine
MOST_BYTES = 65_536
_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 - the name of a header


class Plans(NamedTuple):
    """What is meant to happen to this instance."""

    target_state: str = ""  # of its life in its group: InService, Terminated; empty: it is in none
    taken_at: float | None = None  # wall time at which EC2 takes a spot instance back
    rebalance: bool = False  # EC2 recommends to replace it: it may be taken soon


class Metadata:
    """This instance's metadata. For one thread. Raises `ConfigurationError` for an endpoint that is no URL."""

    def __init__(self, *, clock: Clock, endpoint: str = ENDPOINT) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme != "http" or not parts.hostname:
            raise ConfigurationError(
                f"AWS_EC2_METADATA_SERVICE_ENDPOINT is {endpoint!r}: it must be http://HOST[:PORT]"
            )
        self._host, self._port, self._base = parts.hostname, parts.port or 80, parts.path.rstrip("/")
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0  # boot seconds

    def instance_id(self) -> str:
        """This instance's id. Raises `BackendUnavailable`."""
        found = self._get("instance-id")
        if not found:
            raise BackendUnavailable("metadata: this instance has no id")
        return found

    def plans(self) -> Plans:
        """What is meant to happen. Raises `BackendUnavailable`: then nothing of it is known."""
        return Plans(
            target_state=self._get("autoscaling/target-lifecycle-state") or "",
            taken_at=_taken_at(self._get("spot/instance-action")),
            rebalance=self._get("events/recommendations/rebalance") is not None,
        )

    def _get(self, item: str) -> str | None:
        """An item's text; None when there is none."""
        status, text = self._ask("GET", f"/latest/meta-data/{item}", {_TOKEN: self._session()})
        if status == 401:  # the token was of another life of the service
            self._token = ""
            status, text = self._ask("GET", f"/latest/meta-data/{item}", {_TOKEN: self._session()})
        if status == 404:
            return None
        if status != 200:
            raise BackendUnavailable(f"metadata: {item} gave {status}")
        return text.strip()

    def _session(self) -> str:
        now = self._clock.boot()
        if not self._token or now >= self._renew_at:
            wanted = {f"{_TOKEN}-ttl-seconds": str(TOKEN_SECONDS)}
            status, token = self._ask("PUT", "/latest/api/token", wanted)
            if status != 200:
                raise BackendUnavailable(f"metadata: no token, {status}")
            self._token, self._renew_at = token, now + TOKEN_SECONDS / 2
        return self._token

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        # Not through a proxy, whatever the environment says: the address is this machine's.
        connection = HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, self._base + path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read(MOST_BYTES).decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise BackendUnavailable(f"metadata: {type(error).__name__}: {error}") from None
        finally:
            connection.close()


def _taken_at(notice: str | None) -> float | None:
    """`{"action": "terminate", "time": "2017-09-18T08:22:00Z"}` -> wall time. Stopping and hibernating end us, too."""
    if notice is None:
        return None
    try:
        return datetime.fromisoformat(json.loads(notice)["time"]).timestamp()
    except (ValueError, KeyError, TypeError):
        raise BackendUnavailable(f"metadata: a spot notice that nobody can read: {notice[:200]!r}") from None
