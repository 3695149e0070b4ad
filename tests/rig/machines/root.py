"""Lower layers, a folder of the rig's ── overlayfs, /proc, /sys, /dev ──> the root of one instance.

Runs in the process that becomes the instance's PID 1. All mounts are in a namespace of their own, and the upper
layer is memory: both vanish with the instance. Standard library only.
"""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Any

from tests.rig.machines import linux

DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}
LINKS = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_PLAIN = linux.NO_SUID | linux.NO_DEVICES | linux.NO_EXEC


def unshare_the_rest() -> None:
    """Mounts, host name, System V objects and cgroups of its own, for a process that is PID 1 already."""
    linux.unshare(linux.NEW_MOUNTS | linux.NEW_UTS | linux.NEW_IPC | linux.NEW_CGROUP)
    linux.keep_mounts_private()


def enter(order: dict[str, Any] | None) -> None:
    """The machine's own files with a /proc of the instance's processes; or the root that is ordered.

    Of an order: `room` an empty folder, `lower` folders, the uppermost first, `upper` a folder that keeps what the
    instance writes (empty: memory does), `binds` pairs of a folder and its place inside, `hostname`, `hypervisor`
    the text of /sys/hypervisor/uuid.
    """
    if order is None:
        linux.mount("proc", "/proc", "proc", _PLAIN)
        return
    socket.sethostname(order["hostname"])
    inside = _overlay(order)
    _proc(inside / "proc")
    _sys(inside / "sys", Path(order["room"]) / "sysfs", order["hypervisor"])
    _dev(inside / "dev")
    linux.mount("tmpfs", inside / "run", "tmpfs", linux.NO_SUID | linux.NO_DEVICES, "mode=755")
    for source, place in order["binds"]:
        (inside / place).mkdir(parents=True, exist_ok=True)
        linux.bind(source, inside / place)
    linux.change_root(inside)
    linux.drop_capabilities(linux.DROPPED.values())


def _overlay(order: dict[str, Any]) -> Path:
    room = Path(order["room"])
    linux.mount("tmpfs", room, "tmpfs", data="mode=755")
    upper = Path(order["upper"]) if order["upper"] else room / "upper"
    work = upper.with_name(f"{upper.name}.work")  # on the same file system, as overlayfs wants it
    inside = room / "root"
    for folder in (upper, work, inside, room / "sysfs"):
        folder.mkdir(parents=True, exist_ok=True)
    data = f"lowerdir={':'.join(order['lower'])},upperdir={upper},workdir={work}"
    linux.mount("overlay", inside, "overlay", data=data)
    return inside


def _proc(folder: Path) -> None:
    linux.mount("proc", folder, "proc", _PLAIN)
    linux.bind(folder / "sys", folder / "sys", read_only=True)  # most of it is the whole machine's
    if (trigger := folder / "sysrq-trigger").exists():
        linux.bind(trigger, trigger, read_only=True)


def _sys(folder: Path, sysfs: Path, hypervisor: str) -> None:
    """/sys of an instance: AWS's word on how to know one is the file /sys/hypervisor/uuid, which begins with "ec2".

    AWS page "Detect whether a host is an EC2 instance"; cloud-init looks there, too. In sysfs itself nothing can be
    made, so its folders are shown one by one. Read-only, it tells systemd that devices are not its affair.
    """
    linux.mount("sysfs", sysfs, "sysfs", _PLAIN | linux.READ_ONLY)
    linux.mount("tmpfs", folder, "tmpfs", _PLAIN, "mode=755")
    for each in sysfs.iterdir():
        if each.name not in {"fs", "hypervisor"}:
            (folder / each.name).mkdir()
            linux.bind(each, folder / each.name, read_only=True)
    (folder / "fs" / "cgroup").mkdir(parents=True)
    linux.mount("cgroup2", folder / "fs" / "cgroup", "cgroup2", _PLAIN)
    (folder / "hypervisor").mkdir()
    (folder / "hypervisor" / "uuid").write_text(hypervisor + "\n")
    linux.mount("", folder, flags=linux.REMOUNT | linux.BIND | linux.READ_ONLY | _PLAIN)


def _dev(folder: Path) -> None:
    linux.mount("tmpfs", folder, "tmpfs", linux.NO_SUID, "mode=755")
    os.umask(0)
    for name, (major, minor) in DEVICES.items():
        os.mknod(folder / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
    for name, target in LINKS.items():
        (folder / name).symlink_to(target)
    (folder / "pts").mkdir()
    linux.mount("devpts", folder / "pts", "devpts", data="newinstance,ptmxmode=0666,mode=620,gid=5")
    (folder / "shm").mkdir()
    linux.mount("tmpfs", folder / "shm", "tmpfs", linux.NO_SUID | linux.NO_DEVICES, "mode=1777")
    os.umask(0o022)
