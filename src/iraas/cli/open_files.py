"""The limit of open files, as far up as this process may raise it: each connection is one."""

from __future__ import annotations

import resource

MOST = 65_536


def raise_open_files_limit() -> None:
    """A shell's usual soft limit is 1,024; a thousand clients at once need more, on both ends."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, MOST) if hard > 0 else MOST, hard))
