"""An account on a stand-in for AWS, and somebody who types commands: `iraas deploy`, `status`, `destroy`."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.doubles.moto_cloudformation import MotoCloudFormation
from tests.doubles.program import SqsProgram
from tests.template_part import without

from iraas.cli import main
from iraas.deploy.template import service_template

# What moto's CloudFormation ends in a traceback over; what refers to these goes with them.
NOT_BY_MOTO = {"BalancerSecurityGroup", "AppLaunchTemplate", "WebLaunchTemplate"}


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Cloud:
    """An account on a stand-in, and somebody who types commands."""

    def __init__(self, double: SqsProgram, folder: Path) -> None:
        self.double = double
        self.release = folder / "iraas-0.1.0-x86_64-0123456789ab.tar"
        self.release.write_bytes(hashlib.sha256(b"release").digest() * 600_000)  # 19 MB: three parts

    def iraas(self, *words: str) -> Said:
        """Run a command as if it were typed; whoever would be asked says nothing."""
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.setattr(sys, "argv", ["iraas", *words])
            patch.setattr(sys, "stdin", io.StringIO())
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Said(code, out.getvalue(), err.getvalue())

    def deploy(self, *words: str) -> Said:
        """`iraas deploy photos` that asks nothing, and waits for no balancer: there is none."""
        return self.iraas("deploy", "photos", "--yes", "--wait", "0s", "--release", str(self.release), *words)

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """What AWS's API says."""
        client = self.double.session().create_client(
            service, region_name=self.double.region, endpoint_url=self.double.endpoint
        )
        try:
            return getattr(client, operation)(**parameters)
        finally:
            client.close()

    def stack(self) -> dict[str, Any]:
        """The stack, as DescribeStacks says it."""
        [found] = self.ask("cloudformation", "describe_stacks", StackName="photos")["Stacks"]
        return dict(found)

    def parameters(self) -> dict[str, str]:
        """What it was made with."""
        return {one["ParameterKey"]: one["ParameterValue"] for one in self.stack()["Parameters"]}

    def put(self, bucket: str, key: str) -> None:
        """An object of somebody."""
        self.ask("s3", "put_object", Bucket=bucket, Key=key, Body=b"picture")


def cannot(double: SqsProgram, name: str, item: dict[str, Any]) -> bool:
    """What a stand-in does not make."""
    if isinstance(double, MotoCloudFormation):
        return name in NOT_BY_MOTO
    of_metric_math = item["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in item["Properties"]
    return of_metric_math or item["Type"] == "AWS::EC2::SecurityGroupIngress"


@contextlib.contextmanager
def account(double: SqsProgram, folder: Path, endpoint: str = "") -> Iterator[Cloud]:
    """An account whose templates have only what the stand-in makes; the SDK finds it where it finds AWS."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint or double.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "testsecret",
            "AWS_REGION": double.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        }.items():
            patch.setenv(name, value)
        patch.setattr("iraas.deploy.events.LOOK_SECONDS", 0.05)
        patch.setattr("iraas.deploy.changes.LOOK_SECONDS", 0.05)
        patch.setattr("iraas.deploy.drain.LOOK_SECONDS", 0.05)
        patch.setattr("iraas.deploy.queues.LOOK_SECONDS", 0.05)
        patch.setattr("iraas.deploy.queues.MOST_SECONDS", 0.5)
        patch.setattr(
            "iraas.deploy.deployment.service_template",
            lambda plan=None, web=None: without(
                service_template(plan, web), lambda name, item: cannot(double, name, item)
            ),
        )
        yield Cloud(double, folder)


def key_in(said: Said) -> str:
    """The API key that a deployment printed; empty: none."""
    found = re.search(r"^  (iraas_[\w-]+)$", said.out, re.MULTILINE)
    return found[1] if found else ""
