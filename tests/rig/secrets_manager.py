"""Secrets Manager on 127.0.0.1: GetSecretValue, and nothing else. AWS JSON 1.1."""

from __future__ import annotations

import json
import time
from typing import Any

from aiohttp import web

from tests.rig.cloudwatch import access_key

TARGET = "secretsmanager."


class SecretsManager:
    """Texts by the ARNs of their secrets. `denied` are access keys that may not read."""

    def __init__(self, texts: dict[str, str] | None = None) -> None:
        self.texts = texts or {}
        self.denied: set[str] = set()
        self.requests = 0

    def app(self) -> web.Application:
        """To be served on 127.0.0.1."""
        app = web.Application()
        app.router.add_post("/", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        self.requests += 1
        operation = request.headers.get("X-Amz-Target", "").removeprefix(TARGET)
        asked = json.loads(await request.read() or b"{}")
        if operation != "GetSecretValue":
            return _fault("UnknownOperationException", f"the rig's Secrets Manager has no {operation}")
        if access_key(request) in self.denied:
            return _fault("AccessDeniedException", "not authorized to perform: secretsmanager:GetSecretValue")
        arn = asked["SecretId"]
        if arn not in self.texts:
            return _fault("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        name = arn.rpartition(":")[2]
        return _answer(
            {"ARN": arn, "Name": name, "SecretString": self.texts[arn], "CreatedDate": time.time()}, 200
        )


def _fault(code: str, message: str) -> web.Response:
    return _answer({"__type": code, "message": message}, 400)


def _answer(content: dict[str, Any], status: int) -> web.Response:
    return web.Response(
        body=json.dumps(content).encode(), status=status, content_type="application/x-amz-json-1.1"
    )
