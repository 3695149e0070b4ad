"""AWS in memory, for states that no stand-in has: botocore's own clients, answered before they reach a network.

What is asked is checked by botocore against its description of the service, and so is what is answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.validate import validate_parameters

from iraas.deploy.account import Account

Answer = Callable[..., dict[str, Any]]


@cache
def _descriptions() -> Any:
    """The SDK's descriptions of services, which take most of the time to read."""
    return Session().get_component("data_loader")


def refused(code: str, message: str = "", operation: str = "AnOperation") -> ClientError:
    """What the SDK raises for an error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Aws:
    """Answers by service and operation: `aws.on("ec2", "DescribeVpcs", lambda **asked: {...})`; others fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._answers: dict[str, Answer] = {}
        self._params = threading.local()
        self.broken: Exception | None = None  # raised instead of any answer

    def on(self, service: str, operation: str, answer: Answer) -> None:
        """Answer an operation; `answer` may raise what the SDK would."""
        self._answers[f"{service}.{operation}"] = answer

    def calls(self, operation: str) -> list[dict[str, Any]]:
        """What was asked of an operation."""
        return [asked for name, asked in self.asked if name.endswith(f".{operation}")]

    def account(self, region: str = "us-east-1") -> Account:
        """An account whose clients ask this."""
        session = Session()
        session.register_component("data_loader", _descriptions())
        session.register("provide-client-params.*.*", self._note)
        session.register("before-call.*.*", self._answer)
        return Account(region, session=session)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._params.asked = params

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        service = str(model.service_model.service_name)
        name = f"{service}.{model.name}"
        asked: dict[str, Any] = self._params.asked
        self.asked.append((name, asked))
        if self.broken is not None:
            raise self.broken
        assert name in self._answers, f"nobody answers {name}"
        answer = self._answers[name](**asked)
        if model.output_shape is not None and "Error" not in answer:
            validate_parameters(answer, model.output_shape)
        return SimpleNamespace(status_code=400 if "Error" in answer else 200), answer
