"""What Python 3.11 has no word for: namespaces, mounts, loopback addresses, the death of a parent.

Standard library only: `tests.rig.machines.keeper` runs without the project's environment.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

# unshare(2)
NEW_MOUNTS = 0x00020000
NEW_CGROUP = 0x02000000
NEW_UTS = 0x04000000
NEW_IPC = 0x08000000
NEW_USERS = 0x10000000
NEW_PIDS = 0x20000000
NEW_NETWORK = 0x40000000

# mount(2)
READ_ONLY = 1
NO_SUID = 2
NO_DEVICES = 4
NO_EXEC = 8
REMOUNT = 32
BIND = 4096
RECURSIVE = 16384
PRIVATE = 1 << 18

_DETACH = 2  # umount2(2), MNT_DETACH
_PR_SET_PDEATHSIG = 1  # prctl(2)
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFFLAGS = 0x8916, 0x891C, 0x8914  # netdevice(7)
_IFF_UP = 1

# What an instance must not change of the machine that it runs on; capabilities(7).
DROPPED = {"SYS_MODULE": 16, "SYS_RAWIO": 17, "SYS_TIME": 25, "AUDIT_CONTROL": 30, "SYSLOG": 34}

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """New namespaces for this process; a new one of pids is its children's. Raises `OSError`."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str | Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount something. Raises `OSError`, which names the target."""
    _checked(
        _libc.mount(
            source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data.encode()
        ),
        str(target),
    )


def bind(source: str | Path, target: str | Path, *, read_only: bool = False) -> None:
    """Show a file or folder, with what is mounted in it, at another place too."""
    mount(str(source), target, flags=BIND | RECURSIVE)
    if read_only:  # the kernel takes this flag only in a second call
        mount("", target, flags=BIND | REMOUNT | READ_ONLY | RECURSIVE)


def keep_mounts_private() -> None:
    """Nothing that this process mounts from now on is seen outside of its namespace."""
    mount("", "/", flags=PRIVATE | RECURSIVE)


def change_root(folder: Path) -> None:
    """Make `folder`, which is a mount, the root of this mount namespace, and let go of the old one."""
    os.chdir(folder)
    _checked(_libc.pivot_root(b".", b"."), "pivot_root")  # stacked on each other: pivot_root(2), "."
    _checked(_libc.umount2(b".", ctypes.c_int(_DETACH)), "umount the old root")
    os.chdir("/")


def become_root_of_users(uid: int, gid: int) -> None:
    """Be uid 0 in the user namespace just made; outside of it this process stays who it was."""
    Path("/proc/self/setgroups").write_text("deny")  # user_namespaces(7): else no gid may be mapped
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def die_with_parent(signum: int = signal.SIGKILL) -> None:
    """Be sent `signum` when the thread that started this process ends, however it ends."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signum), 0, 0, 0), "PR_SET_PDEATHSIG")


def adopt_orphans() -> None:
    """Descendants whose parent dies become children of this process, not of the machine's first one."""
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0), "PR_SET_CHILD_SUBREAPER")


def drop_capabilities(numbers: Iterable[int]) -> None:
    """Neither this process nor any that it starts can have these again."""
    for number in numbers:
        _checked(_libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0), "PR_CAPBSET_DROP")


def bring_up_loopback(extra: Iterable[str] = ()) -> None:
    """`lo` with 127.0.0.1, and with `extra` addresses of one host each."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        for number, address in enumerate(extra):
            name = f"lo:{number}".encode()
            fcntl.ioctl(control, _SIOCSIFADDR, _interface_address(name, address))
            fcntl.ioctl(control, _SIOCSIFNETMASK, _interface_address(name, "255.255.255.255"))


def _interface_address(name: bytes, address: str) -> bytes:
    return struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(address))


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
