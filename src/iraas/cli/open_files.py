"""The limit of open files, as far up as this process may raise it: each connection is one."""

from __future__ import annotations

import resource

MOST = 65_536


def raise_open_files_limit() -> None:
    """A shell's usual soft limit is 1,024; a thousand clients at once need more, on both ends. Never lowers it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
