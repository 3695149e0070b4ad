"""A network and a tree of processes of its own, the machine's files ── iraas from the checkout ──> instances."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.rig.machines import supervised
from tests.rig.machines.host import SHUT_DOWN_SECONDS, Host
from tests.rig.machines.order import Order
from tests.rig.metadata import ADDRESS


class NamespaceMachines(Host):
    """Each instance has namespaces; `users`: in a user namespace, which needs no privilege."""

    kind = "namespaces"

    def __init__(
        self,
        endpoints: Mapping[str, str],
        *,
        users: bool | None = None,
        shut_down_seconds: float = SHUT_DOWN_SECONDS,
    ) -> None:
        super().__init__(endpoints, shut_down_seconds=shut_down_seconds)
        self._users = os.geteuid() != 0 if users is None else users

    def _order(self, instance: str, folder: Path, user_data: str) -> Order:
        return Order(
            command=supervised.command(folder, user_data, endpoints=self.endpoints, forced={}),
            environment=supervised.ENVIRONMENT,
            folder=supervised.FOLDER,
            output=folder / "output",
            sweep=self._folder,
            users=self._users,
            addresses=(ADDRESS,),
            listen=self._listen(),
        )
