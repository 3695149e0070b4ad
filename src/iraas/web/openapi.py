"""The parts of the OpenAPI description that FastAPI cannot read off a signature: bodies and outcomes."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI

from iraas import errors
from iraas.messages import Answer
from iraas.web.fleet_view import FleetView

_REF = "#/components/schemas/{name}"


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}


_PROBLEM = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
_BINARY = {"schema": {"type": "string", "format": "binary"}}

IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The first file counts"}
                    },
                }
            },
            "image/png": _BINARY,
            "image/jpeg": _BINARY,
            "image/webp": _BINARY,
        },
    }
}


def _statuses() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.IraasError) and kind.slug:
            found.setdefault(kind.status, []).append(f"`{kind.slug}`: {kind.title()}")
    return found


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": " ".join(cases), "content": _PROBLEM}
    for status, cases in sorted(_statuses().items())
}
OUTCOMES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The labels", "content": _json("Answer")},
    202: {
        "description": "Not answered yet; ask at Location",
        "content": _json("Pending"),
        "headers": {
            "Location": {"schema": {"type": "string"}},
            "Retry-After": {"schema": {"type": "integer"}},
        },
    },
    **PROBLEMS,
}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "One line", "content": _TEXT},
    504: {"description": "No answer in time", "content": _TEXT},
    **PROBLEMS,
}
READINESS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Ready", "content": {"application/json": {"schema": {"type": "object"}}}},
    503: {"description": "A backend cannot be reached", "content": _PROBLEM},
}
METRICS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus' text format", "content": _TEXT},
    401: PROBLEMS[401],
}
FLEET: dict[int | str, dict[str, Any]] = {
    200: {"description": "The fleet at this moment", "content": _json("FleetView")},
    **PROBLEMS,
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events named `fleet`, whose data is a FleetView",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    401: PROBLEMS[401],
    503: PROBLEMS[503],
}

_SCHEMAS: dict[str, Any] = {
    "Pending": {
        "type": "object",
        "required": ["id", "state"],
        "properties": {"id": {"type": "string", "format": "uuid"}, "state": {"const": "pending"}},
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string", "description": "A stable slug"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "retryable": {"type": "boolean"},
            "id": {"type": "string", "format": "uuid"},
            "state": {"const": "failed"},
        },
    },
}


def describe(app: FastAPI) -> None:
    """Make `app.openapi` complete: our own schemas, and none of FastAPI's validation errors (ours are 400s)."""
    generate = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            _, components = msgspec.json.schema_components([Answer, FleetView], ref_template=_REF)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            schemas.update(components | _SCHEMAS)
            document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"key": []}, {}]
            for path in document["paths"].values():
                for operation in path.values():
                    responses = operation["responses"]
                    refers = responses.get("422", {}).get("content", {}).get("application/json")
                    if refers is not None:
                        del responses["422"]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]
