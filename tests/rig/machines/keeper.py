"""An order, on a socket ── namespaces, listening sockets, PID 1 ── "started", sockets on demand, "ended" ──> the rig.

One keeper holds one instance. It stays in the machine's own namespace of processes, and in the instance's network:
a socket belongs to the network in which it was made, so those made here let the rig reach into an instance that
has no address but loopback and link-local ones. When the rig's end of the line closes, however the rig died,
the keeper ends the instance and tidies up behind it. Standard library only.
"""

from __future__ import annotations

import array
import json
import os
import select
import shutil
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from tests.rig.machines import linux, root
from tests.rig.machines.cgroup import Cgroup
from tests.rig.machines.family import kill_descendants

BACKLOG = 128
LINE_BYTES = 65536  # the longest message of either side


class Keeper:
    """One instance's, from its first process to its last."""

    def __init__(self, line: socket.socket, order: dict[str, Any]) -> None:
        self._line = line
        self._order = order
        self._cgroup = Cgroup(order["cgroup"]) if order["cgroup"] else None
        self._orphaned = False  # the rig has died
        self._first = 0  # PID 1 of the instance, as seen from here

    def run(self) -> None:
        """Until the instance has ended; nothing of it is left then."""
        linux.adopt_orphans()
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        try:
            listening = self._enter()
            self._send({"listening": len(listening)}, listening)
            for each in listening:
                each.close()
            self._start()
            self._send({"started": self._first})
            self._serve()
        finally:
            self._tidy()

    def _enter(self) -> list[socket.socket]:
        """Into the instance's namespaces; the sockets at which the rig listens in them."""
        if not self._order["namespaces"]:
            return []
        uid, gid = os.geteuid(), os.getegid()
        users = linux.NEW_USERS if self._order["users"] else 0
        linux.unshare(users | linux.NEW_NETWORK | linux.NEW_PIDS)
        if users:
            linux.become_root_of_users(uid, gid)
        linux.bring_up_loopback(self._order["addresses"])
        return [socket.create_server((host, port), backlog=BACKLOG) for host, port in self._order["listen"]]

    def _start(self) -> None:
        """Start PID 1. Raises `RuntimeError` with what its start failed of; where that was is in the output."""
        reading, writing = os.pipe()  # closed by exec: then PID 1 is what it shall be
        self._first = os.fork()
        if not self._first:
            self._become_first(writing)
        os.close(writing)
        with open(reading, encoding="utf-8") as trouble:
            text = trouble.read()
        if text:
            raise RuntimeError(text)

    def _become_first(self, trouble: int) -> NoReturn:
        try:
            linux.die_with_parent()
            os.setsid()
            with open(self._order["output"], "ab") as output:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
            if self._cgroup:
                self._cgroup.enter()
            if self._order["namespaces"]:
                root.unshare_the_rest()
                root.enter(self._order["root"])
            os.chdir(self._order["folder"])
            command = self._order["command"]
            os.execve(command[0], command, self._order["environment"])
        except BaseException as error:  # noqa: BLE001 - a fork must not go on as its parent
            traceback.print_exc()
            os.write(trouble, str(error).encode()[:LINE_BYTES])
            os._exit(1)

    def _serve(self) -> None:
        """Do what the rig asks for until PID 1 ends."""
        first = os.pidfd_open(self._first)
        watched = select.poll()
        watched.register(first, select.POLLIN)
        watched.register(self._line, select.POLLIN)
        try:
            while True:
                ready = {descriptor for descriptor, _ in watched.poll()}
                if first in ready:
                    return
                asked = self._line.recv(LINE_BYTES)
                if not asked:
                    self._orphaned = True
                    return
                if asked == b"socket":
                    with socket.socket() as made:
                        self._send({"socket": 1}, [made])
                else:
                    signal.pidfd_send_signal(first, int(asked))
        finally:
            os.close(first)

    def _tidy(self) -> None:
        if self._first:
            os.kill(self._first, signal.SIGKILL)  # not yet waited for, so the number is still its own
            _, status = os.waitpid(
                self._first, 0
            )  # a namespace's PID 1 takes all of it along: pid_namespaces(7)
            kill_descendants()
            self._send({"ended": os.waitstatus_to_exitcode(status)})
        if self._cgroup:
            self._cgroup.remove()
        if self._orphaned:
            shutil.rmtree(self._order["sweep"], ignore_errors=True)  # other keepers may be at it, too

    def _send(self, message: dict[str, Any], sockets: list[socket.socket] | None = None) -> None:
        rights = array.array("i", [each.fileno() for each in sockets or []])
        with suppress(BrokenPipeError):  # the rig is gone; `_serve` sees it, too
            self._line.sendmsg(
                [json.dumps(message).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
            )


def main() -> None:
    """Keep what is ordered on the line whose descriptor is the first argument."""
    os.setsid()  # Ctrl-C in a terminal is the rig's affair
    with socket.socket(fileno=int(sys.argv[1])) as line:
        line.set_inheritable(False)
        order = json.loads(line.recv(LINE_BYTES))
        try:
            Keeper(line, order).run()
        except Exception as error:  # noqa: BLE001 - the rig is to hear of all of them
            with Path(order["output"]).open("a") as output:
                traceback.print_exc(file=output)
            line.send(json.dumps({"failed": str(error)}).encode())
            sys.exit(1)


if __name__ == "__main__":
    main()
