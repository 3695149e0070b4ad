"""A stand-in for S3: seaweedfs, a process on free ports of 127.0.0.1 that checks signatures as S3 does.

Run as `python -m tests.doubles.seaweedfs`, it says its port on standard output, and ends, with the server and
all that lies on the disk, when standard input does.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import STDOUT, Popen
from typing import Any

from botocore.config import Config
from botocore.session import Session
from tests.doubles.program import KEYS, REGION, Program, credentials

READER, READER_SECRET = "reader", "readersecret"  # may get and list, and nothing else
TRIES = 5  # a port that was free a moment ago may be taken
START_SECONDS = 60.0  # it takes 3 on an idle machine
LOOK_SECONDS = 0.05

WITH_PORT = ("-master.port", "-volume.port", "-filer.port", "-s3.port")
WITH_GRPC_PORT = ("-master.port.grpc", "-volume.port.grpc", "-filer.port.grpc", "-s3.port.grpc")
FLAGS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-filer",
    "-s3",
    "-s3.port.iceberg=0",  # two doors that nobody here needs; else on fixed ports
    "-s3.port.lance=0",
    "-s3.autoCreateBucket=false",  # AWS says NoSuchBucket
    "-master.telemetry=false",
    "-master.volumeSizeLimitMB=64",
    "-volume.max=10000",  # each bucket takes volumes of its own
    "-volume.minFreeSpace=100MiB",
)
# A bucket's first object makes this many volumes; seven unless told.
MASTER_TOML = "[master.volume_growth]\ncopy_1 = 1\n"
IDENTITIES = {
    "identities": [
        {
            "name": "iraas",
            "credentials": [{"accessKey": KEYS[0], "secretKey": KEYS[1]}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": READER, "secretKey": READER_SECRET}],
            "actions": ["Read", "List"],
        },
    ]
}


def weed() -> Path | None:
    """The program, where `make setup` put it."""
    program = Path(sys.executable).with_name("weed")
    return program if program.exists() else None


class Seaweedfs(Program):
    """The server, while the `with` block runs. Its objects lie in a temporary folder."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "tests.doubles.seaweedfs"])

    def create_bucket(self, name: str) -> None:
        """Make a bucket."""
        client = _client(self.session(), self.endpoint)
        try:
            client.create_bucket(Bucket=name)
        finally:
            client.close()

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        """Put a file into a bucket, in one piece."""
        client = _client(self.session(), self.endpoint)
        try:
            with path.open("rb") as body:
                client.put_object(Bucket=bucket, Key=key, Body=body)
        finally:
            client.close()


def serve() -> None:
    """Serve until standard input ends."""
    folder = Path(tempfile.mkdtemp(prefix="seaweedfs-"))
    try:
        for left in reversed(range(TRIES)):
            with ExitStack() as ends:
                port, grpc_ports, server = _start(folder)
                ends.callback(_end, server, grpc_ports)
                if _answers(server, port):
                    print(port, flush=True)  # noqa: T201 - whoever started this reads it
                    sys.stdin.read()  # until whoever started this is gone, however it ended
                    return
                if not left:
                    sys.stderr.write((folder / "log").read_text()[-3000:])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> tuple[int, list[int], Popen[bytes]]:
    program = weed()
    assert program is not None, "seaweedfs is not installed: run make setup"
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    (folder / "s3.json").write_text(json.dumps(IDENTITIES))
    (folder / "master.toml").write_text(MASTER_TOML)  # it looks into its working directory
    ports = _free_ports(len(WITH_PORT))
    grpc_ports = _free_ports(len(WITH_GRPC_PORT))
    flags = [f"{flag}={port}" for flag, port in zip(WITH_PORT, ports, strict=True)]
    flags += [f"{flag}={port}" for flag, port in zip(WITH_GRPC_PORT, grpc_ports, strict=True)]
    flags += [f"-dir={data}", f"-s3.config={folder / 's3.json'}"]
    flags += [f"-{part}.localSocket={folder / part}.sock" for part in ("filer", "s3")]
    with (folder / "log").open("w") as log:
        server = Popen(
            [program, "-logtostderr=true", "server", *FLAGS, *flags], cwd=folder, stdout=log, stderr=STDOUT
        )
    return ports[-1], grpc_ports, server


def _free_ports(count: int) -> list[int]:
    with ExitStack() as ends:
        taken = [ends.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in taken]


def _answers(server: Popen[bytes], port: int) -> bool:
    """Whether it takes and gives back an object; it listens some time before it can."""
    deadline = time.monotonic() + START_SECONDS
    client = _client(credentials(), f"http://127.0.0.1:{port}")
    while server.poll() is None and time.monotonic() < deadline:
        try:
            client.create_bucket(Bucket="is-it-there")
            client.put_object(Bucket="is-it-there", Key="object", Body=b"yes")
            client.delete_bucket(Bucket="is-it-there")
        except Exception:  # noqa: BLE001 - refused, reset, an error of its own: not yet
            time.sleep(LOOK_SECONDS)
        else:
            client.close()
            return True
    return False


def _end(server: Popen[bytes], grpc_ports: list[int]) -> None:
    server.kill()  # its objects go anyway
    server.wait()
    for port in grpc_ports:  # no flag puts these elsewhere
        for part in ("master", "volume", "filer", "s3"):
            with suppress(FileNotFoundError):
                Path(f"/tmp/seaweedfs-{part}-grpc-{port}.sock").unlink()


def _client(session: Session, endpoint: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return session.create_client("s3", region_name=REGION, endpoint_url=endpoint, config=config)


if __name__ == "__main__":
    serve()
