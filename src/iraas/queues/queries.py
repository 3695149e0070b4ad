"""queries.sql -> each statement under its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def queries() -> Mapping[str, str]:
    """Every statement of queries.sql; read once."""
    _, *parts = _NAME.split(files("iraas.queues").joinpath("queries.sql").read_text("utf-8"))
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
