"""policy.toml -> Plan, or a line that names file, field and mend."""

from __future__ import annotations

from pathlib import Path

from iraas.errors import ConfigurationError
from iraas.scaling.plan import Plan, read_plan


def read_policy(path: Path) -> Plan:
    """The plan of a file. Raises `ConfigurationError`."""
    try:
        return read_plan(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the policy {path}: {error.strerror}; `iraas scaling recommend` writes one"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"the policy {path}: {error}") from error
