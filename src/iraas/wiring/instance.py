"""Settings -> what looks after one instance of a deployment, and what sends its journal away."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from iraas.clock import SystemClock
from iraas.errors import ConfigurationError
from iraas.fleet.ec2_life import Rule
from iraas.settings import Settings

try:
    import botocore.session

    from iraas.fleet import ec2_group, ec2_signal, ec2_stream
    from iraas.fleet.ec2 import Instance
    from iraas.fleet.ec2_client import instance_client
    from iraas.fleet.ec2_group import InstanceGroup
    from iraas.fleet.ec2_journal import Journal
    from iraas.fleet.ec2_metadata import ENDPOINT, Metadata
    from iraas.fleet.ec2_signal import StackSignal, web_serves
    from iraas.fleet.ec2_stream import LogStream
    from iraas.fleet.ec2_workers import is_busy, serve
except ImportError as error:
    raise ConfigurationError(f"an instance needs {error.name}: pip install 'iraas[aws]'") from error

# Where worker 1 has its numbers, less one. No setting: units say 91%i, and only tests need other ports.
METRICS_BASE = "IRAAS_INSTANCE_METRICS_BASE"


def build_instance(settings: Settings) -> Instance:
    """What `iraas instance` runs. Raises `ConfigurationError` in words."""
    clock = SystemClock()
    endpoint = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or ENDPOINT
    if not settings.instance_folder.is_dir():
        raise ConfigurationError(
            f"IRAAS_INSTANCE_FOLDER: there is no folder {settings.instance_folder}; its unit makes it "
            "(RuntimeDirectory=iraas)"
        )
    base = int(os.environ.get(METRICS_BASE, "9100"))
    ports = range(base + 1, base + 1 + settings.workers_per_instance)
    region = _region(settings)
    session = botocore.session.Session()
    signal = StackSignal(
        _connect(session, "cloudformation", region, ec2_signal.ATTEMPTS, ec2_signal.READ_SECONDS),
        stack=settings.stack,
        resource=settings.instance_signal,
        serves=partial(web_serves, settings.port)
        if settings.instance_tier == "web"
        else partial(serve, ports),
    )
    return Instance(
        metadata=Metadata(clock=clock, endpoint=endpoint),
        group=InstanceGroup(
            _connect(session, "autoscaling", region, ec2_group.ATTEMPTS, ec2_group.READ_SECONDS),
            name=settings.instance_group,
            hook=settings.instance_hook,
        ),
        is_busy=partial(is_busy, ports),
        folder=settings.instance_folder,
        rule=Rule(
            look_every=settings.instance_look_every,
            protect_every=settings.instance_protect_every,
            linger=settings.instance_linger,
            drain=settings.instance_drain,
            protects=settings.instance_tier == "app" and bool(settings.instance_group),
            has_hook=bool(settings.instance_group and settings.instance_hook),
        ),
        clock=clock,
        say_serving=signal.say if settings.instance_signal else said_nothing,
    )


def said_nothing(_instance: str) -> bool:
    """Of an instance that no stack waits for: there is nothing to say."""
    return True


def build_journal(settings: Settings, instance: str) -> Journal:
    """What sends the journal of this instance's services to the log group."""
    session = botocore.session.Session()
    stream = LogStream(
        _connect(session, "logs", _region(settings), ec2_stream.ATTEMPTS, ec2_stream.READ_SECONDS),
        group=settings.log_group,
        name=instance,
    )
    return Journal(stream, units=units(settings), folder=settings.instance_folder)


def units(settings: Settings) -> list[str]:
    """The services of an instance of this tier, as systemd calls them."""
    workers = [f"iraas-worker@{number:02}.service" for number in range(1, settings.workers_per_instance + 1)]
    tier = workers if settings.instance_tier == "app" else ["iraas-web.service"]
    return [*tier, "iraas-instance.service", "iraas-leave.service"]


def _connect(
    session: botocore.session.Session, name: str, region: str, attempts: int, read_seconds: float
) -> Callable[[], Any]:
    return partial(
        instance_client, session, name, region=region, attempts=attempts, read_seconds=read_seconds
    )


def _region(settings: Settings) -> str:
    region: str = (
        settings.region
        or os.environ.get("AWS_REGION")
        or botocore.session.Session().get_config_variable("region")
        or ""
    )
    if not region:
        raise ConfigurationError("no AWS region is known: set IRAAS_REGION, or AWS_REGION")
    return region
