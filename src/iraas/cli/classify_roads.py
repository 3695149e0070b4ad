"""Pictures -> outcomes, by one of two roads: the model in this process, or a running service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from iraas.cli.classify_rows import Outcome
from iraas.client import AsyncClient, Unreachable
from iraas.errors import ConfigurationError, ForbiddenOrigin, IraasError, Unauthorized

if TYPE_CHECKING:
    from iraas.settings import Settings

Report = Callable[[int, Outcome], None]  # takes the outcome of the picture of that number, in any order


def classify_here(pictures: Sequence[Path], settings: Settings, *, top: int, report: Report) -> None:
    """One after the other in this process. Raises `ConfigurationError` when the model cannot be loaded."""
    from iraas.wiring.model import load_classifier  # a second of imports that the other road does not need

    classifier = load_classifier(settings)
    for number, path in enumerate(pictures):
        outcome: Outcome
        try:
            with path.open("rb") as file:
                data = file.read(settings.max_image_bytes + 1)  # enough to see that it is too large
            outcome = classifier.classify(data, path.name, top)
        except (IraasError, OSError) as error:
            outcome = error
        report(number, outcome)


def classify_there(
    pictures: Sequence[Path], url: str, *, api_key: str | None, top: int, concurrency: int, report: Report
) -> None:
    """By the service at `url`, `concurrency` pictures at once.

    Raises `ConfigurationError` for what would go wrong with every picture: a wrong address or key, or a
    service that cannot be reached before it has answered anything.
    """
    asyncio.run(_classify_there(pictures, url, api_key, top, concurrency, report))


async def _classify_there(
    pictures: Sequence[Path], url: str, api_key: str | None, top: int, concurrency: int, report: Report
) -> None:
    todo = iter(enumerate(pictures))  # shared: the next picture goes to whoever is free
    answered = False

    async def work(client: AsyncClient) -> None:
        nonlocal answered
        for number, path in todo:
            outcome: Outcome
            try:
                outcome = await client.classify(path, top=top)
                answered = True
            except (Unauthorized, ForbiddenOrigin) as error:
                raise ConfigurationError(f"{error} Give --api-key or set IRAAS_API_KEY.") from error
            except Unreachable as error:
                if not answered:
                    raise ConfigurationError(f"{error}; `iraas up` starts a service") from error
                outcome = error
            except (IraasError, OSError) as error:
                outcome = error
            report(number, outcome)

    async with AsyncClient(url, api_key=api_key) as client:
        await asyncio.gather(*(work(client) for _ in range(min(concurrency, len(pictures)))))
