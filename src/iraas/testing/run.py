"""`python -m iraas.testing.run …`: the real processes, with a timed model, a crash point or faults in them.

    python -m iraas.testing.run up|web|worker|quarantine

The settings are the ordinary IRAAS_* variables. What is put in the place of the real parts stands in
IRAAS_TEST_MODEL (seconds a picture, or `fatal` for a model that dies of red pictures), IRAAS_TEST_CRASH (see
`iraas.testing.crash_points`) and IRAAS_TEST_FAULTS (see `iraas.testing.faults`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from iraas.models.port import Model
from iraas.settings import Settings, load_settings
from iraas.wiring.overrides import Overrides

COMMAND = [sys.executable, "-m", "iraas.testing.run"]


def overrides() -> Overrides:
    """The replacements that the environment asks for."""
    from iraas.testing.around import AroundBlobs, AroundQueue, AroundResponses
    from iraas.testing.crash_points import CrashPoint
    from iraas.testing.fatal_model import FatalModel
    from iraas.testing.faults import Faults, FaultyQueue, FaultyResponses
    from iraas.testing.timed_model import TimedModel

    model = os.environ.get("IRAAS_TEST_MODEL")
    quarantine = (*COMMAND, "quarantine")
    build: Callable[[Settings], Model] | None = None
    if model == "fatal":
        build = lambda _settings: FatalModel()  # noqa: E731
    elif model is not None:
        build = lambda _settings: TimedModel(float(model))  # noqa: E731
    if crash := os.environ.get("IRAAS_TEST_CRASH"):
        around = CrashPoint.parse(crash).around
        return Overrides(
            model=build,
            quarantine=quarantine,
            requests=lambda queue: AroundQueue(queue, "requests", around),
            responses=lambda queues: AroundResponses(queues, around),
            inputs=lambda blobs: AroundBlobs(blobs, "inputs", around),
            results=lambda blobs: AroundBlobs(blobs, "results", around),
        )
    if described := os.environ.get("IRAAS_TEST_FAULTS"):
        faults = Faults.parse(described)
        return Overrides(
            model=build,
            quarantine=quarantine,
            requests=lambda queue: FaultyQueue(queue, "requests", faults),
            responses=lambda queues: FaultyResponses(queues, faults),
            inputs=lambda blobs: AroundBlobs(blobs, "inputs", faults.around),
            results=lambda blobs: AroundBlobs(blobs, "results", faults.around),
        )
    return Overrides(model=build, quarantine=quarantine)


def main(role: str) -> None:
    """Run one of the real processes with the replacements in it."""
    if role == "up":
        from iraas.cli.up import run_up

        run_up(load_settings(), command=COMMAND)
    elif role == "web":
        from iraas.cli.web import run_web

        run_web(load_settings(), overrides())
    elif role == "worker":
        from iraas.cli.worker import run_worker

        run_worker(load_settings(), overrides())
    elif role == "quarantine":
        from iraas.cli.quarantine import run_quarantine

        model = overrides().model
        run_quarantine(None if model is None else lambda _: model(load_settings()))
    else:
        sys.exit(f"no role {role!r}")


if __name__ == "__main__":
    main(sys.argv[1])
