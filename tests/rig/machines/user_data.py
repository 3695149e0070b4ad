"""user data ── its here-documents, not its commands ──> files, variables. For instances that run no script."""

from __future__ import annotations

import re

# As the template writes them, and no other way.
_FILE = re.compile(r"^cat > (?P<place>\S+) <<'END'\n(?P<text>.*?)^END$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"^(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)$", re.MULTILINE)


def files(user_data: str) -> dict[str, str]:
    """The text of each file that it writes, by its place."""
    return {found["place"]: found["text"] for found in _FILE.finditer(user_data)}


def variables(environment_file: str) -> dict[str, str]:
    """As systemd.exec(5) reads EnvironmentFile, as far as ours go: NAME=VALUE lines, quotes around a value."""
    found = {}
    for line in _VARIABLE.finditer(environment_file):
        value = line["value"].strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[line["name"]] = value[1:-1] if quoted else value
    return found
