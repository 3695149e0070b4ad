"""the services of this instance serve -> its stack is told, once: a rolling update waits for it, or is taken back.

AWS CloudFormation User Guide, "UpdatePolicy attribute", WaitOnResourceSignals: without signals an update replaces every
instance by one that may not serve at all, and calls that a success.
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from iraas.errors import BackendUnavailable

ATTEMPTS = 1  # at one look: the next one tries again, and the instance's other business waits meanwhile
READ_SECONDS = 3.0
MOST_TRIES = 240  # looks every 5 s: as long as the template's updates wait (PauseTime)
NOBODY_WAITS = "ValidationError"  # SignalResource of a resource that is not being made or updated


class StackSignal:
    """Tells `resource` of `stack` that an instance serves, as soon as `serves` says so."""

    def __init__(
        self, connect: Callable[[], Any], *, stack: str, resource: str, serves: Callable[[], bool]
    ) -> None:
        self._connect, self._stack, self._resource, self._serves = connect, stack, resource, serves
        self._client: Any = None
        self._tries = 0

    def say(self, instance: str) -> bool:
        """Whether there is nothing left to say: it was said, or nobody waits any more. Raises `BackendUnavailable`."""
        if self._tries >= MOST_TRIES:
            return True
        if not self._serves():
            return False
        self._tries += 1
        try:
            if self._client is None:
                self._client = self._connect()
            self._client.signal_resource(
                StackName=self._stack,
                LogicalResourceId=self._resource,
                UniqueId=instance,
                Status="SUCCESS",
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != NOBODY_WAITS:
                raise BackendUnavailable(f"CloudFormation: {error}") from None
        except (BotoCoreError, ValueError) as error:
            if isinstance(error, NoCredentialsError):
                self._client = None  # soon after its start the instance's role may not be known yet
            raise BackendUnavailable(f"CloudFormation: {error}") from None
        return True


def web_serves(port: int) -> bool:
    """Whether the web process of this machine answers `/livez`."""
    connection = HTTPConnection("127.0.0.1", port, timeout=READ_SECONDS)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
