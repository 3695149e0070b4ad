"""What an instance that runs no script takes out of its user data."""

from __future__ import annotations

from tests.rig.machines.user_data import files, variables

SCRIPT = """#!/bin/bash
cat > /etc/iraas/iraas.env <<'END'
IRAAS_STACK=one
END
cat > /etc/iraas/policy.toml <<'END'
minimum = 0

[policy]
kind = "staffing"
END
echo cat > /tmp/other
"""


def test_here_documents_become_files() -> None:
    """Each here-document that the template writes is a file, whole and with nothing of its neighbours."""
    assert files(SCRIPT) == {
        "/etc/iraas/iraas.env": "IRAAS_STACK=one\n",
        "/etc/iraas/policy.toml": 'minimum = 0\n\n[policy]\nkind = "staffing"\n',
    }


def test_variables_are_read_as_systemd_reads_them() -> None:
    """Lines NAME=VALUE count, the last of a name, without quotes around it; comments do not."""
    text = "# A=0\nA=1\nB='two words'\nC=\"x\"\n; D=1\nE=a=b\nA=3\nF=\n"
    assert variables(text) == {"A": "3", "B": "two words", "C": "x", "E": "a=b", "F": ""}
