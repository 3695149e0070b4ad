"""A tree of Debian, layers over it ── systemd as PID 1, cloud-init with the user data ──> instances. As root only."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.rig.machines.cgroup import name_of
from tests.rig.machines.host import SHUT_DOWN_SECONDS, Host
from tests.rig.machines.layer import write_layer
from tests.rig.machines.order import Order, Root
from tests.rig.metadata import ADDRESS

RIG = Path(__file__).parents[3] / ".rig"
TREE = RIG / "tree"  # tools/make_rig.sh makes it
IMAGE = RIG / "image"  # what installing the release added to the tree; `tests.rig.machines.image` makes it


class BootedMachines(Host):
    """Each instance boots Debian. `lower` are the layers below it, the uppermost first.

    Its root is an overlay; what it writes is in memory, and goes with it. Its journal stays until `close`.
    """

    kind = "booted"

    def __init__(
        self,
        endpoints: Mapping[str, str],
        *,
        lower: Sequence[Path] = (TREE,),
        shut_down_seconds: float = SHUT_DOWN_SECONDS,
    ) -> None:
        super().__init__(endpoints, shut_down_seconds=shut_down_seconds)
        layer = self._folder / "layer"
        write_layer(layer, endpoints)
        self._lower = (layer, *lower)

    def _order(self, instance: str, folder: Path, user_data: str) -> Order:
        room, journal = folder / "room", folder / "journal"
        room.mkdir()
        journal.mkdir()
        root = Root(
            room=room,
            lower=self._lower,
            hostname=instance,
            hypervisor=f"ec2{instance.removeprefix('i-')[:5]}-rig",
            binds=((journal, "var/log/journal"),),
        )
        return Order(
            command=["/sbin/init", "--log-target=journal", "--show-status=false"],
            environment={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "container": "iraas-rig",
                "container_uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, instance)),  # becomes its machine id
            },
            output=folder / "output",
            sweep=self._folder,
            addresses=(ADDRESS,),
            listen=self._listen(),
            cgroup=name_of(f"{self._folder.name}-{instance}"),
            root=root,
        )

    def log(self, instance: str) -> str:
        """Its journal, with seconds since the machine booted, and what PID 1 said beside it."""
        return super().log(instance) + self._journal(instance, "--output=short-monotonic")

    def said(self, instance: str, unit: str) -> list[dict[str, str]]:
        """The journal's entries of one unit or about it: their fields, as journalctl's JSON names them."""
        return [
            json.loads(line)
            for line in self._journal(instance, "--output=json", f"--unit={unit}").splitlines()
        ]

    def _journal(self, instance: str, *flags: str) -> str:
        program = shutil.which("journalctl")
        assert program is not None, "journalctl is missing here"
        command = [program, f"--directory={self._folder / instance / 'journal'}", "--no-pager", "--quiet"]
        return subprocess.run([*command, *flags], capture_output=True, text=True, check=True).stdout
