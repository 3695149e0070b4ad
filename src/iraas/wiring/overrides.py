"""What a test puts in the place of the real parts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iraas.blobs.port import Blobs
from iraas.queues.port import Queue, ResponseQueues
from iraas.settings import Settings

if TYPE_CHECKING:
    from iraas.models.port import Model


@dataclass(frozen=True)
class Overrides:
    """Each part as it was built -> what is used instead."""

    model: Callable[[Settings], Model] | None = None
    requests: Callable[[Queue], Queue] = field(default=lambda queue: queue)
    responses: Callable[[ResponseQueues], ResponseQueues] = field(default=lambda queues: queues)
    inputs: Callable[[Blobs], Blobs] = field(default=lambda blobs: blobs)
    results: Callable[[Blobs], Blobs] = field(default=lambda blobs: blobs)
    quarantine: tuple[str, ...] = (sys.executable, "-m", "iraas.cli.quarantine")


NO_OVERRIDES = Overrides()
