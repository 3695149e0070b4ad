"""What this machine allows -> the best kind of instances for the rig, and why not a better one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.rig.machines.booted import IMAGE, TREE, BootedMachines
from tests.rig.machines.cgroup import name_of
from tests.rig.machines.host import Host
from tests.rig.machines.image import release_of
from tests.rig.machines.kept import Kept
from tests.rig.machines.namespaces import NamespaceMachines
from tests.rig.machines.order import Order, Root
from tests.rig.machines.port import CannotLaunch
from tests.rig.machines.processes import ProcessMachines

WANTED = "IRAAS_RIG"  # in the environment: a kind, for who wants this one or none


@dataclass(frozen=True)
class Choice:
    """A kind of instances, and one line on it for people."""

    kind: str
    why: str

    def machines(self, endpoints: Mapping[str, str], *, image: bool = False) -> Host:
        """Instances of that kind; `image`: with the release installed already, where they are booted.

        Raises `CannotLaunch` where that image was not made.
        """
        if self.kind == BootedMachines.kind:
            if image and not release_of(IMAGE):
                raise CannotLaunch(f"{IMAGE} is missing: `await make_image()` makes it")
            return BootedMachines(endpoints, lower=(IMAGE, TREE) if image else (TREE,))
        if self.kind == NamespaceMachines.kind:
            return NamespaceMachines(endpoints)
        return ProcessMachines(endpoints)


async def choose() -> Choice:
    """The best that works here, or the one that IRAAS_RIG names. Raises `CannotLaunch` when that does not work."""
    wanted = os.environ.get(WANTED, "")
    why_not = {BootedMachines.kind: await cannot_boot(), NamespaceMachines.kind: "", ProcessMachines.kind: ""}
    if wanted != BootedMachines.kind:
        why_not[NamespaceMachines.kind] = await cannot_separate()
    if wanted:
        if wanted not in why_not or why_not[wanted]:
            kinds = ", ".join(why_not)
            raise CannotLaunch(f"{WANTED}={wanted}: " + why_not.get(wanted, f"it is none of {kinds}"))
        return Choice(wanted, f"instances are of kind {wanted}: {WANTED} says so")
    reasons: list[str] = []
    for kind, reason in why_not.items():
        if not reason:
            return Choice(
                kind, f"instances are of kind {kind}: " + ("; ".join(reasons) or "the best there is")
            )
        reasons.append(f"not {kind}, since {reason}")
    raise AssertionError("plain processes always work")


async def cannot_boot() -> str:
    """Why no instance can be booted here; empty when one can."""
    if os.geteuid() != 0:
        return "only root may mount a root"
    if not (TREE / "sbin/init").exists():
        return f"{TREE.relative_to(TREE.parents[1])} is missing: make rig"
    return await _fails(booted=True)


async def cannot_separate(*, users: bool | None = None) -> str:
    """Why no instance can have namespaces here; empty when one can. `users`: in one of users, too."""
    return await _fails(booted=False, users=os.geteuid() != 0 if users is None else users)


async def _fails(*, booted: bool, users: bool = False) -> str:
    """An instance that ends at once says all that would fail."""
    with tempfile.TemporaryDirectory(prefix="iraas-rig-try-") as name:
        folder = Path(name)
        (folder / "room").mkdir()
        root = Root(room=folder / "room", lower=(TREE,), hostname="try", hypervisor="ec2-try")
        kept = Kept(
            Order(
                command=["/bin/true"],
                environment={},
                output=folder / "output",
                sweep=folder,
                users=users,
                cgroup=name_of(folder.name) if booted else "",
                root=root if booted else None,
            )
        )
        try:
            await kept.listening()
            await kept.started()
        except CannotLaunch as error:
            return str(error).strip().splitlines()[-1]
        finally:
            await kept.gone.wait()
    return ""
