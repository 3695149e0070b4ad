"""A stand-in for AWS as a process: it says its port on standard output, and ends when its standard input does.

That is when the `with` block ends, or the test process does, however it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from types import TracebackType
from typing import Self
from urllib.request import urlopen

from botocore.session import Session

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
KEYS = ("test", "testsecret")  # seaweedfs checks them, the others take any


def credentials() -> Session:
    """A session with `KEYS`."""
    session = Session()
    session.set_credentials(*KEYS)
    return session


class Program:
    """The server, while the `with` block runs."""

    region = REGION

    def __init__(self, command: Sequence[str | Path], *, quiet: bool = False) -> None:
        self._command = command
        self._errors = DEVNULL if quiet else None
        self._process: Popen[str] | None = None
        self._session: Session | None = None
        self.endpoint = ""

    def __enter__(self) -> Self:
        self._process = Popen(
            self._command, stdin=PIPE, stdout=PIPE, stderr=self._errors, text=True, cwd=ROOT
        )
        assert self._process.stdout is not None
        self.endpoint = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate()  # closes its input, and waits for its end

    @property
    def pid(self) -> int:
        """The process: the server, or what watches over it."""
        assert self._process is not None
        return self._process.pid

    def session(self) -> Session:
        """Credentials that the server takes."""
        if self._session is None:  # once: reading the SDK's descriptions of services takes 0.2 s
            self._session = credentials()
        return self._session


class SqsProgram(Program):
    """One that plays SQS."""

    def create_queue(self, name: str, **attributes: str) -> str:
        """Make a queue; its URL."""
        client = self.session().create_client("sqs", region_name=REGION, endpoint_url=self.endpoint)
        try:
            url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        finally:
            client.close()
        return url


class WithClock(SqsProgram):
    """One whose clock a test moves: its leases end when the test says so, however busy the machine is."""

    def advance(self, seconds: float) -> None:
        """So much later it is now, for the server."""
        with urlopen(f"{self.endpoint}/_iraas/advance/{seconds}") as answer:
            assert answer.status == 200
