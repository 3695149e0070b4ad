"""user data, metadata -> an instance that runs. What the rig's Auto Scaling launches and ends."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Protocol

from tests.rig.metadata import InstanceMetadata


class Machines(Protocol):
    """The instances of one rig, by their ids.

    1. An instance has no address but 127.0.0.1 and 169.254.169.254.
    2. Inside of it, each of `endpoints` answers at the same 127.0.0.1:PORT as outside, and its metadata at the
       address at which the AWS SDK looks.
    3. It gets no credentials but those of its metadata.
    4. `shut_down` lets it stop in order, for so long and no longer; `kill` gives it no notice.
    5. Nothing of an instance that ended is left, but its log; nor when the process that runs the rig dies.
    """

    kind: str  # "booted", "namespaces" or "processes", for people
    endpoints: Mapping[str, str]  # URLs of the host by the SDK's name of the service: "SQS", "AUTO_SCALING"

    async def launch(self, instance: str, *, user_data: str, metadata: InstanceMetadata) -> None:
        """Start one; returns when its first process runs. Raises `CannotLaunch`."""

    async def shut_down(self, instance: str) -> None:
        """As EC2 ends one: it may stop in order, bounded; returns when it is gone."""

    async def kill(self, instance: str) -> None:
        """As when its hardware fails; returns when it is gone."""

    def alive(self, instance: str) -> bool:
        """Whether its first process runs."""

    async def connect(self, instance: str, port: int) -> socket.socket:
        """A connection, non-blocking, to 127.0.0.1:`port` inside of it. Raises `OSError`."""

    def log(self, instance: str) -> str:
        """What its processes said so far; for one that ended too, until `close`."""

    async def close(self) -> None:
        """End all of them; nothing is left, logs neither."""


class CannotLaunch(Exception):
    """The instance's first process could not be started."""
