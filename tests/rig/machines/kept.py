"""An order -> a keeper's process, and through it one instance: sockets in its network, signals, its end."""

from __future__ import annotations

import array
import asyncio
import json
import os
import socket
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

from tests.rig.machines.keeper import LINE_BYTES
from tests.rig.machines.order import Order
from tests.rig.machines.port import CannotLaunch

CHECKOUT = Path(__file__).parents[3]
MOST_SOCKETS = 64  # that one message carries; the kernel allows 253


class Kept:
    """One instance, from `start` to `gone`. To be used in one event loop."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._loop = asyncio.get_running_loop()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.setblocking(False)
        self._listening: asyncio.Future[list[socket.socket]] = self._loop.create_future()
        self._started: asyncio.Future[int] = self._loop.create_future()
        self._asked: deque[asyncio.Future[socket.socket]] = deque()
        self._trouble = "its keeper died"
        self.gone = asyncio.Event()  # and all of it is tidied up
        self.status: int | None = None  # with which PID 1 ended; negative: by this signal
        self.first = 0  # PID 1 of the instance, as seen from here; 0 before it runs and when it has ended
        with theirs:
            keeper = [sys.executable, "-S", "-m", "tests.rig.machines.keeper", str(theirs.fileno())]
            environment = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
            self._keeper = Popen(keeper, pass_fds=[theirs.fileno()], cwd=CHECKOUT, env=environment)
        self._ending = os.pidfd_open(self._keeper.pid)
        self._loop.add_reader(self._line, self._read)
        self._loop.add_reader(self._ending, self._ended)

    async def listening(self) -> list[socket.socket]:
        """Have the instance made; the sockets of `order.listen` in its network. Raises `CannotLaunch`."""
        self._line.send(json.dumps(self._order.words()).encode())
        return await self._listening

    async def started(self) -> int:
        """Its PID 1, once that runs. Raises `CannotLaunch`."""
        return await self._started

    async def new_socket(self) -> socket.socket:
        """A TCP socket in its network, not connected, non-blocking. Raises `OSError` when it is gone."""
        if self.gone.is_set():
            raise ConnectionRefusedError("the instance is gone")
        made: asyncio.Future[socket.socket] = self._loop.create_future()
        self._asked.append(made)
        self._tell("socket")
        return await made

    def signal(self, number: int) -> None:
        """Send its PID 1 a signal; none where it has ended."""
        self._tell(str(number))

    def _tell(self, word: str) -> None:
        with suppress(OSError):  # the keeper is gone or going; `_ended` follows
            self._line.send(word.encode())

    def _read(self) -> None:
        room = socket.CMSG_SPACE(MOST_SOCKETS * array.array("i").itemsize)
        try:
            text, ancillary, _, _ = self._line.recvmsg(LINE_BYTES, room)
        except BlockingIOError:
            return
        except OSError:
            text, ancillary = b"", []
        if not text:  # the rest is `_ended`'s
            self._loop.remove_reader(self._line)
            return
        passed = array.array("i")
        for _, _, rights in ancillary:
            passed.frombytes(rights)
        self._take(json.loads(text), [socket.socket(fileno=each) for each in passed])

    def _take(self, message: dict[str, int | str], sockets: list[socket.socket]) -> None:
        for each in sockets:
            each.setblocking(False)
        if "listening" in message:
            self._listening.set_result(sockets)
        elif "started" in message:
            self.first = int(message["started"])
            self._started.set_result(self.first)
        elif "socket" in message:
            made = self._asked.popleft()
            if made.done():  # who asked has gone away
                sockets[0].close()
            else:
                made.set_result(sockets[0])
        elif "ended" in message:
            self.first, self.status = 0, int(message["ended"])
        else:
            self._trouble = str(message["failed"])

    def _ended(self) -> None:
        self._loop.remove_reader(self._ending)
        os.close(self._ending)
        self._keeper.wait()
        self.first = 0
        if self._line.fileno() >= 0:
            self._loop.remove_reader(self._line)
            self._line.close()
        self._fail(ConnectionRefusedError("the instance is gone"))
        self.gone.set()

    def _fail(self, error: OSError) -> None:
        for made in self._asked:
            if not made.done():
                made.set_exception(error)
        for start in (self._listening, self._started):
            if not start.done():
                start.set_exception(CannotLaunch(self._trouble))
                start.exception()  # it may be that nobody waits for this one
