"""journalctl --follow -> batches, at most one a second -> CloudWatch Logs. A thread of `iraas instance`.

While CloudWatch cannot be reached nothing is read: journalctl waits at its pipe, and what comes meanwhile stays in the
journal, whose size journald bounds and whose oldest lines it drops. So this process holds one batch, and no more. Its
place in the journal is noted after each batch: killed at any moment, it repeats at most one and loses none.
"""

from __future__ import annotations

import json
import os
import selectors
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Protocol

from iraas.errors import BackendUnavailable
from iraas.fleet.ec2_stream import Line, Unsendable, cut, fitting
from iraas.telemetry import Log

SEND_SECONDS = 1.0  # at least, between two batches
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds after the first, second, … failure in a row
READ_BYTES = 65_536
MOST_WAITING = 1_000_000  # bytes read and not sent; then the journal waits


class Stream(Protocol):
    """Where lines go."""

    def put(self, lines: Sequence[Line]) -> int:
        """Send one batch; how many were refused. Raises `BackendUnavailable`, `Unsendable`."""
        ...


class Journal:
    """Sends what `units` log: `run` until `stop`, which another thread may call."""

    def __init__(
        self,
        stream: Stream,
        *,
        units: Sequence[str],
        folder: Path,
        program: Sequence[str] = ("journalctl",),
        wait: Callable[[float], object] = time.sleep,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._stream = stream
        self._units = units
        self._program = program
        self._cursor_file = folder / "journal.cursor"
        self._wait = wait
        self._send_seconds = send_seconds
        self._sent_at = float("-inf")  # monotonic seconds
        self._failures = 0
        self._process: Popen[bytes] | None = None
        self._over = False
        self._log = Log()

    def run(self) -> None:
        """Follow and send, whatever fails."""
        while not self._over:
            try:
                self.follow()
            except OSError as error:  # there is no journalctl
                self._pause(f"{self._program[0]}: {error}")
            except Exception as error:  # noqa: BLE001 - whatever it is, an instance without a log helps nobody
                self._pause(repr(error))

    def follow(self) -> None:
        """Send until journalctl ends."""
        cursor = self._cursor()
        process = self._process = Popen(self._command(cursor), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)  # noqa: S603
        try:
            came = self._send_all(process)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        if came or self._over:
            return
        if cursor and process.returncode > 0:  # the journal that it was a place of is gone
            self._cursor_file.unlink(missing_ok=True)
        self._pause(f"journalctl ended with {process.returncode}")

    def stop(self) -> None:
        """End journalctl, and with it `run`."""
        self._over = True
        if self._process is not None:
            self._process.kill()

    def _command(self, cursor: str) -> list[str]:
        # Each unit by its name: a pattern would only find units that have logged before journalctl started.
        units = [f"--unit={unit}" for unit in self._units]
        place = f"--after-cursor={cursor}" if cursor else "--boot"
        what = ["--output=json", "--output-fields=MESSAGE", "--all", "--quiet"]
        return [*self._program, "--follow", "--no-tail", *what, place, *units]

    def _send_all(self, process: Popen[bytes]) -> bool:
        """Whether anything came before journalctl ended."""
        assert process.stdout is not None
        lines: list[Line] = []
        rest, came, over = b"", False, False
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while lines or not over:
                due = self._sent_at + self._send_seconds - time.monotonic()
                if lines and (due <= 0 or over):
                    self._wait(max(0.0, due))
                    lines = self._send(lines)
                elif sum(line.size for line in lines) > MOST_WAITING:
                    self._wait(due)
                elif selector.select(due if lines else None):
                    data = os.read(process.stdout.fileno(), READ_BYTES)
                    over, came = not data, came or bool(data)
                    *whole, rest = (rest + data).split(b"\n")
                    lines += filter(None, map(line_of, whole))
        return came

    def _send(self, lines: list[Line]) -> list[Line]:
        """Send one batch of them, however often it takes; the others."""
        count = fitting(lines)
        while True:
            self._sent_at = time.monotonic()
            try:
                refused = self._stream.put(lines[:count])
            except BackendUnavailable as error:
                self._pause(str(error))
                continue
            except Unsendable as error:
                refused = count
                self._trouble(str(error))
            break
        if refused:
            self._trouble(f"{refused} of {count} lines of the journal were refused")
        self._failures = 0
        self._note(lines[count - 1].cursor)
        return lines[count:]

    def _pause(self, why: str) -> None:
        if self._failures == 0:
            self._trouble(why)
        self._wait(PAUSES[min(self._failures, len(PAUSES) - 1)])
        self._failures += 1

    def _trouble(self, error: str) -> None:
        self._log("instance.trouble", level="warning", what="journal", error=error)

    def _cursor(self) -> str:
        with suppress(OSError):
            return self._cursor_file.read_text().strip()
        return ""

    def _note(self, cursor: str) -> None:
        with suppress(OSError):  # then a restart repeats more
            fresh = self._cursor_file.with_suffix(".new")
            fresh.write_text(cursor)
            fresh.replace(self._cursor_file)


def line_of(record: bytes) -> Line | None:
    """A record as `journalctl --output=json` prints it; None where there is nothing to send.

    MESSAGE is an array of bytes where it is no UTF-8 (systemd, Journal Export Formats).
    """
    try:
        fields = json.loads(record)
        message = fields["MESSAGE"]  # null for nothing
        text = bytes(message).decode("utf-8", "replace") if isinstance(message, list) else message
        line = Line(int(fields["__REALTIME_TIMESTAMP"]) // 1000, cut(text), fields["__CURSOR"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return line if line.message else None
