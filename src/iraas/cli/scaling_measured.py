"""A running service, or what the last one left -> what it measured of its workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from iraas.errors import ConfigurationError
from iraas.fleet.port import FleetReport

TIMEOUT_SECONDS = 10.0


def of_service(url: str | None, data: Path | None) -> tuple[FleetReport, str]:
    """The report of the service at `url`, or of the data folder; and where it is from. Raises `ConfigurationError`."""
    if url is not None:
        return _of_url(url), url
    from iraas.places import fleet_file
    from iraas.settings import load_settings

    settings = load_settings(data=data)
    return fleet_file(settings).report(), str(settings.data)


def _of_url(url: str) -> FleetReport:
    import os

    import httpx2

    key = os.environ.get("IRAAS_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx2.get(f"{url.rstrip('/')}/v1/fleet?history=0", headers=headers, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        told: dict[str, Any] = msgspec.json.decode(answer.content)
    except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError) as error:
        raise ConfigurationError(f"--url {url}: no /v1/fleet there: {error}") from error
    service_ms = told.get("service_ms")
    return FleetReport(
        service_seconds=service_ms / 1000 if service_ms else None, boot_seconds=told.get("boot_seconds")
    )
