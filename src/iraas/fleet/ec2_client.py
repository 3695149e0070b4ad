"""an AWS service's name -> a client for an instance's own business: quick to give up, as the next look asks again."""

from __future__ import annotations

from typing import Any

from botocore.config import Config
from botocore.session import Session

CONNECT_SECONDS = 2.0


def instance_client(session: Session, name: str, *, region: str, attempts: int, read_seconds: float) -> Any:
    """A client for botocore's service `name`; AWS_ENDPOINT_URL_... says where it is, else it is AWS's own."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
    )
    return session.create_client(name, region_name=region, config=config)
