"""The quarantine child as a program. Deaf to SIGINT and SIGTERM: its worker decides when it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from iraas.fleet.lifeline import end_with_parent
from iraas.worker.child import ENVIRONMENT, ChildSettings, serve
from iraas.worker.infer import Classifier

if TYPE_CHECKING:
    from iraas.models.port import Model


def run_quarantine(load: Callable[[ChildSettings], Model] | None = None) -> None:
    """Serve the worker that started this process; `load` puts another model in the place of the set one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_with_parent()
    settings = msgspec.json.decode(os.environ[ENVIRONMENT], type=ChildSettings)
    serve(lambda: Classifier((load or _load)(settings), settings.limits))


def _load(settings: ChildSettings) -> Model:
    from iraas.models.catalog import load_model

    return load_model(settings.model, engine=settings.engine, providers=settings.providers)


if __name__ == "__main__":
    run_quarantine()
