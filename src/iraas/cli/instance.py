"""`iraas instance`: the life of one EC2 instance."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Never

from iraas.settings import Settings, load_settings


def instance() -> None:
    """Look after this EC2 instance until SIGTERM. All settings come from IRAAS_* or iraas.toml.

    Its units run it, one an instance, without any right beyond reading the journal. It protects the instance from
    scale-in while a worker is busy; when the instance is to end (lifecycle hook, spot interruption notice), it has the
    services leave, and completes the hook once they left; and it sends the journal to IRAAS_LOG_GROUP. It may be
    killed and started again at any moment. docs/settings.md lists its settings, IRAAS_INSTANCE_* and others.
    """
    run_instance(load_settings())


def run_instance(settings: Settings) -> Never:
    """Look after this instance in this process."""
    from iraas.telemetry import configure_logging
    from iraas.wiring.instance import build_instance, build_journal

    configure_logging(settings.log_level, settings.log_format)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    looking = build_instance(settings)
    if not settings.log_group:
        looking.run()
    name = looking.until_known()
    journal = build_journal(settings, name)
    threading.Thread(target=journal.run, name="journal", daemon=True).start()
    try:
        looking.run()
    finally:
        journal.stop()


def _end(_number: int, _frame: FrameType | None) -> Never:
    sys.exit(0)  # at once: whatever it was about to do, it does after its next start
