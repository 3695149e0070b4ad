"""The two tiers as processes of their own, on stand-ins for SQS and S3: start, find, kill, stop, look inside."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from iraas.settings import Settings
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.service import REAL, START_SECONDS, STOP_SECONDS
from tests.waiting import until

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testsecret"}


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Tier:
    """One `iraas web` or `iraas worker`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def events(self) -> list[dict[str, object]]:
        """What it logged, line by line; what is not ours is passed over."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def until(self, event: str) -> dict[str, object]:
        """Its first log event of this name; fails when it ends without one."""

        def found() -> dict[str, object] | None:
            for line in self.events():
                if line["event"] == event:
                    return line
            assert self.process.poll() is None, f"it ended:\n{self.log.read_text()[-3000:]}"
            return None

        return until(found, what=f"{event} in {self.log.name}", within=START_SECONDS)

    @property
    def url(self) -> str:
        """Where it serves."""
        return str(self.until("web.started")["address"])

    def kill(self) -> None:
        """Kill -9; its children end with it."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        _gone, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        assert not alive, f"outlived its worker: {alive}"

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


class Deployment:
    """Queues, buckets and processes under a name of their own; everything ends with the `with` block."""

    def __init__(
        self,
        sqs: Fauxqs,
        s3: Seaweedfs,
        folder: Path,
        *,
        sqs_endpoint: str = "",
        s3_endpoint: str = "",
        command: tuple[str, ...] = REAL,
        settings: Mapping[str, str] | None = None,
        max_receives: int = 20,
    ) -> None:
        self.stack = f"t{secrets.token_hex(4)}"
        self.tiers: list[Tier] = []
        self._folder = folder
        self._command = command
        dead = sqs.create_queue(f"{self.stack}-dead-letters")
        redrive = json.dumps(
            {
                "deadLetterTargetArn": f"arn:aws:sqs:{sqs.region}:000000000000:{self.stack}-dead-letters",
                "maxReceiveCount": max_receives,
            }
        )
        requests = sqs.create_queue(f"{self.stack}-requests", RedrivePolicy=redrive)
        for bucket in ("inputs", "results"):
            s3.create_bucket(f"{self.stack}-{bucket}")
        self.environment = {
            "IRAAS_BACKEND": "aws",
            "IRAAS_STACK": self.stack,
            "IRAAS_REQUEST_QUEUE_URL": requests,
            "IRAAS_DEAD_LETTER_QUEUE_URL": dead,
            "IRAAS_INPUT_BUCKET": f"{self.stack}-inputs",
            "IRAAS_RESULT_BUCKET": f"{self.stack}-results",
            "IRAAS_REGION": sqs.region,
            "IRAAS_SQS_ENDPOINT": sqs_endpoint or sqs.endpoint,
            "IRAAS_S3_ENDPOINT": s3_endpoint or s3.endpoint,
            "IRAAS_SQS_WAIT_SECONDS": "1",
            "IRAAS_PORT": "0",
            "IRAAS_MODEL": "fast",
            "IRAAS_LOG_FORMAT": "json",
            **(settings or {}),
        }
        # Whoever looks inside is not troubled by what troubles the tiers.
        self.settings = Settings(
            **{
                name.removeprefix("IRAAS_").lower(): value
                for name, value in self.environment.items()
                if name.startswith("IRAAS_") and not name.startswith("IRAAS_TEST")
            }
        ).model_copy(update={"sqs_endpoint": sqs.endpoint, "s3_endpoint": s3.endpoint})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def web(self, **environment: str) -> Tier:
        """Start a web process and wait until it serves."""
        tier = self.start("web", **environment)
        tier.until("web.started")
        return tier

    def worker(self, **environment: str) -> Tier:
        """Start a worker; it may still be loading its model."""
        return self.start("worker", **environment)

    def workers(self, count: int) -> list[Tier]:
        """Start workers and wait until all take jobs."""
        tiers = [self.worker() for _ in range(count)]
        for tier in tiers:
            tier.until("worker.started")
        return tiers

    def start(self, role: str, **environment: str) -> Tier:
        """Start a process of this role."""
        log = self._folder / f"{self.stack}-{role}-{len(self.tiers)}.log"
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("IRAAS_", "AWS_"))
        }
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [*self._command, role],
                env={
                    **inherited,
                    **KEYS,
                    "AWS_EC2_METADATA_DISABLED": "true",
                    **self.environment,
                    **environment,
                },
                stdout=errors,
                stderr=errors,
            )
        tier = Tier(process, log)
        self.tiers.append(tier)
        return tier

    def stop(self) -> None:
        """SIGTERM to all; then nothing of them may be left."""
        living = [tier for tier in self.tiers if tier.process.poll() is None]
        family = [
            member
            for tier in living
            for member in [
                psutil.Process(tier.process.pid),
                *psutil.Process(tier.process.pid).children(recursive=True),
            ]
        ]
        for tier in living:
            tier.process.send_signal(signal.SIGTERM)
        for tier in living:
            tier.process.wait(STOP_SECONDS)
        _gone, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        assert not alive, f"left behind: {alive}"
