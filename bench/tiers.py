"""The two tiers as processes, on either backend -> what they take: CPU, memory, and requests that AWS would bill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import psutil
from prometheus_client.parser import text_string_to_metric_families
from tests.deployment import Deployment
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.service import Service

from bench.folders import DATA
from bench.processes import cpu_seconds, family, free_port, resident_mb
from bench.session import WORKERS, Session

PATIENT = {"IRAAS_MAX_BACKLOG_SECONDS": "600"}  # a backlog is what is measured
SQS_REQUESTS = "iraas_aws_requests_total"
OF_S3 = frozenset({"PutObject", "GetObject", "HeadObject", "DeleteObject", "ListObjectsV2"})


class Tiers:
    """A web process and its workers."""

    def __init__(
        self, name: str, url: str, web: int, workers: list[int], metrics: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self.url = f"{url}/v1/images"
        self.workers = [psutil.Process(pid) for pid in workers]
        self._web = psutil.Process(web)
        self._metrics = metrics

    def parts(self) -> dict[str, float]:
        """CPU seconds so far. Neither the stand-ins for AWS count, nor a supervisor that only waits."""
        return {
            "web": cpu_seconds(family(self._web)),
            "workers": sum(cpu_seconds(family(worker)) for worker in self.workers),
        }

    def worker_mb(self) -> float:
        """Resident memory of a worker, on average."""
        return resident_mb(self.workers) / len(self.workers)

    def requests(self) -> dict[str, float]:
        """Requests to AWS so far, by operation."""
        counted: dict[str, float] = {}
        for url in self._metrics:
            for metric in text_string_to_metric_families(httpx2.get(url).text):
                for sample in metric.samples:
                    if sample.name == SQS_REQUESTS:
                        operation = sample.labels["operation"]
                        counted[operation] = counted.get(operation, 0.0) + sample.value
        return counted


def of_sqs(requests: Mapping[str, float]) -> float:
    """How many of them went to SQS."""
    return sum(count for operation, count in requests.items() if operation not in OF_S3)


@contextmanager
def embedded() -> Iterator[Tiers]:
    """`iraas up` with two workers."""
    DATA.mkdir(parents=True, exist_ok=True)
    with Service(DATA / "iraas", workers=WORKERS, settings=PATIENT) as service:
        yield _of_service(service)


@contextmanager
def on_aws(session: Session, folder: Path) -> Iterator[Tiers]:
    """`iraas web` and two `iraas worker` on stand-ins for SQS and S3."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        session.step("starting SQS and S3")
        sqs, s3 = running.enter_context(Fauxqs()), running.enter_context(Seaweedfs())
        deployment = running.enter_context(Deployment(sqs, s3, folder, settings=PATIENT))
        web = deployment.web()
        ports = [free_port() for _ in range(WORKERS)]
        workers = [deployment.worker(IRAAS_METRICS_PORT=str(port)) for port in ports]
        for worker in workers:
            worker.until("worker.started")
        yield Tiers(
            "aws",
            web.url,
            web.process.pid,
            [worker.process.pid for worker in workers],
            (f"{web.url}/metrics", *(f"http://127.0.0.1:{port}/metrics" for port in ports)),
        )


def _of_service(service: Service) -> Tiers:
    children = service.supervisor.children()
    [web] = [child.pid for child in children if "web" in child.cmdline()]
    workers = [child.pid for child in children if "worker" in child.cmdline()]
    return Tiers("embedded", service.url, web, workers)
