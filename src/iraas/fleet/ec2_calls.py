"""operation, parameters -> the answer of one of AWS's services: a botocore client, in a thread of its own.

For what is asked a few times a minute: CloudWatch, Auto Scaling, Secrets Manager. One call at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import botocore
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from iraas.errors import BackendUnavailable, ConfigurationError
from iraas.lane import Call, Lane

# These bound a call to some 11 s, and so what the end of a process may have to wait for.
ATTEMPTS = 2
CONNECT_SECONDS = 2.0
READ_SECONDS = 3.0

Answer = dict[str, Any]


class Refused(BackendUnavailable):
    """AWS, or the way to it, did not do what was asked.

    Never quotes AWS's text, which may hold what was signed; the code tells as much to whoever must mend it.
    """

    def __init__(self, service: str, operation: str, code: str) -> None:
        super().__init__(f"{service}: {operation}: {code}")
        self.operation = operation
        self.code = code  # AWS's, or what botocore calls it


class Service:
    """One service as one process sees it. Any thread and any event loop may use it.

    `name` is botocore's. `endpoint` is empty for AWS's own. `on_request` is told the operation of every HTTP request,
    each retry too, since AWS bills each; it is called in any thread. Make it in the main thread: botocore's sessions
    are not made for several. Raises `ConfigurationError`.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        *,
        region: str,
        endpoint: str = "",
        on_request: Callable[[str], object] = lambda _operation: None,
    ) -> None:
        self._on_request = on_request
        self._client = _client(session, name, region, endpoint)
        self._title: str = self._client.meta.service_model.service_id
        self._client.meta.events.register("before-send", self._count)
        self._lane: Lane[Any] = Lane(_serve, name=f"aws-{name}")

    async def call(self, operation: str, **parameters: Any) -> Answer:
        """What the service answers. Raises `Refused`."""
        return await self._lane.run(Call(lambda _given: self.ask(operation, **parameters)))

    def ask(self, operation: str, **parameters: Any) -> Answer:
        """The same, in the caller's thread."""
        try:
            answer: Answer = getattr(self._client, xform_name(operation))(**parameters)
        except (BotoCoreError, ClientError, ResponseParserError, TimeoutError, ValueError) as error:
            raise Refused(self._title, operation, _code(error)) from None
        return answer

    def close(self) -> None:
        """Give back thread and connections; waits for the call that is under way."""
        self._lane.close()
        self._client.close()

    def _count(self, event_name: str, **_: object) -> None:
        self._on_request(event_name.rpartition(".")[2])


def _serve(group: list[Call[Any, Any]]) -> None:
    for call in group:
        try:
            call.result = call.work(None)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            call.fail(error, because=error)


def _client(session: Session, name: str, region: str, endpoint: str) -> Any:
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=1,
        tcp_keepalive=True,
        user_agent=f"iraas Botocore/{botocore.__version__}",
    )
    make = partial(session.create_client, name, region_name=region, config=config)
    try:
        return make(endpoint_url=endpoint or None)
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"no client for {name} can be made: {error}") from None


def _code(error: Exception) -> str:
    """AWS's code where there is one (`AccessDenied`, or an HTTP status), else what botocore calls it."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code") or "unknown")
        return code.rpartition("#")[2]
    return type(error).__name__
