"""profile, environment -> an AWS account in one region, and clients that speak to it."""

from __future__ import annotations

import os
from typing import Any

from iraas.deploy.refusals import in_words
from iraas.errors import ConfigurationError

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
ATTEMPTS = 6  # of the SDK, with its standard back-off: throttled calls are tried again for some 20 seconds


class Account:
    """Whose stacks these are. Clients are made when they are first asked for.

    Credentials and endpoints come from where the SDK looks for them, or from a `session` of it.
    Raises `ConfigurationError` where no region is known or the SDK is not installed.
    """

    def __init__(self, region: str = "", *, session: Any = None) -> None:
        try:
            from botocore.config import Config
            from botocore.session import Session
        except ImportError as error:
            raise ConfigurationError(f"deploying needs {error.name}: pip install 'iraas[aws]'") from error
        with in_words("finding credentials"):
            self._session = session or Session()
            found = region or os.environ.get("AWS_REGION") or self._session.get_config_variable("region")
        if not found:
            raise ConfigurationError("no AWS region is known: say --region, or set AWS_REGION")
        self.region = str(found)
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            tcp_keepalive=True,
            # Parts of an upload carry their MD5; the SDK's own checksums would want all or none of a multipart one.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            user_agent_extra="iraas-deploy",
        )
        self._clients: dict[str, Any] = {}
        self._identity: dict[str, str] | None = None

    def client(self, service: str) -> Any:
        """The SDK's client of a service; any thread may use it."""
        if service not in self._clients:
            with in_words(f"making a client of {service}"):
                self._clients[service] = self._session.create_client(
                    service, region_name=self.region, config=self._config
                )
        return self._clients[service]

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        """Everything that a paginated operation lists under `key`."""
        paginator = self.client(service).get_paginator(operation)
        return [item for page in paginator.paginate(**parameters) for item in page.get(key, [])]

    @property
    def id(self) -> str:
        """The account's twelve digits. Raises `ConfigurationError` without credentials that AWS takes."""
        return self._who()["Account"]

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self._who()["Arn"].split(":")[1]

    def _who(self) -> dict[str, str]:
        if self._identity is None:
            with in_words("asking who you are"):
                self._identity = self.client("sts").get_caller_identity()
        return self._identity

    def close(self) -> None:
        """Give back connections."""
        for client in self._clients.values():
            client.close()
