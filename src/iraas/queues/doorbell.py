"""ring(queue) -> unix datagram -> whoever waits for that queue looks again.

Each receiver that has ever had to wait hangs a bell: a datagram socket `QUEUE@RANDOM` in the runtime
folder. A ring is a hint and never the message: a full bell loses it (`net.unix.max_dgram_qlen` is 10),
which is why whoever waits also looks by himself now and then.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iraas.errors import ConfigurationError

MAX_SOCKET_PATH = 103  # bytes that every system takes: sun_path is 108 on Linux, 104 on macOS, with its NUL
NAME_ROOM = 40  # bytes of it for "/.QUEUE@RANDOM"


class Bells:
    """The folder of doorbells, and the socket that rings them."""

    def __init__(self, folder: Path) -> None:
        if len(os.fsencode(folder)) > MAX_SOCKET_PATH - NAME_ROOM:
            raise ConfigurationError(
                f"the runtime folder {folder} has too long a path for unix sockets: "
                f"name one of at most {MAX_SOCKET_PATH - NAME_ROOM} bytes"
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._hung: list[Doorbell] = []
        self._voice = _datagram_socket()

    def ring(self, queue: str) -> None:
        """Wake whoever waits for this queue; costs one look into the folder when nobody does."""
        for path in self._hanging(f"{queue}@"):
            with _taking_down_if_dead(path):
                self._voice.sendto(b"!", path)

    def hang(self, queue: str) -> Doorbell:
        """A bell of one's own. Those that dead processes left are taken down on the way."""
        with _datagram_socket() as probe:
            for path in self._hanging():
                with _taking_down_if_dead(path):
                    probe.connect(path)
        bell = Doorbell(self._folder / f"{queue}@{secrets.token_hex(4)}")
        self._hung.append(bell)
        return bell

    def close(self) -> None:
        """Ring no more, and take down what was hung here."""
        self._voice.close()
        for bell in self._hung:
            bell.close()

    def _hanging(self, start: str = "") -> list[str]:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - a third of the time of Path.iterdir
        except OSError:  # somebody tidied up: the receivers' own looks have to do
            return []
        return [f"{self._folder}/{name}" for name in names if name.startswith(start) and name[0] != "."]


class Doorbell:
    """One receiver's bell. Any number of tasks of one event loop may wait at it."""

    def __init__(self, path: Path) -> None:
        self.heard = 0  # rings so far; read it before looking into the queue
        self._path = path
        self._waiting: set[asyncio.Future[None]] = set()
        self._socket = _datagram_socket()
        unborn = path.with_name(f".{path.name}")  # a bell that is seen before it can ring would pass for dead
        self._socket.bind(str(unborn))
        unborn.rename(path)

    async def wait(self, seconds: float, *, since: int) -> None:
        """Until the bell has rung more than `since` times, or `seconds` have passed."""
        if self.heard != since:
            return
        loop = asyncio.get_running_loop()
        rung = loop.create_future()
        if not self._waiting:
            loop.add_reader(self._socket, self._hear)
        self._waiting.add(rung)
        timer = loop.call_later(seconds, _wake, rung)
        try:
            await rung
        finally:
            timer.cancel()
            self._waiting.discard(rung)
            if not self._waiting:
                loop.remove_reader(self._socket)

    def close(self) -> None:
        """Take the bell down."""
        self._path.unlink(missing_ok=True)
        self._socket.close()

    def _hear(self) -> None:
        try:
            while True:  # all of it here and now, or the loop would call again and again
                self._socket.recv(1)
        except BlockingIOError:
            pass
        self.heard += 1
        for rung in self._waiting:
            _wake(rung)


@contextmanager
def _taking_down_if_dead(path: str) -> Iterator[None]:
    try:
        yield
    except ConnectionRefusedError:  # nobody holds the socket any more
        Path(path).unlink(missing_ok=True)
    except OSError:
        pass  # full: it will wake anyway; gone: nobody waits there


def _wake(rung: asyncio.Future[None]) -> None:
    if not rung.done():
        rung.set_result(None)


def _datagram_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
