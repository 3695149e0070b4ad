"""argv -> a command. Each command imports what it needs when it runs, so that `--help` and workers stay small."""

from __future__ import annotations

import sys

EXIT_FAILED = 1
EXIT_MISCONFIGURED = 2


def main() -> None:
    """The `iraas` command. A wrong set-up ends in one line and exit code 2, never in a traceback."""
    from iraas.errors import ConfigurationError, IraasError

    try:
        _run(sys.argv[1:])
    except ConfigurationError as error:
        print(f"iraas: {error.detail}", file=sys.stderr)  # noqa: T201 - this is what the user reads
        sys.exit(EXIT_MISCONFIGURED)
    except IraasError as error:
        print(f"iraas: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_FAILED)


def _run(arguments: list[str]) -> None:
    if arguments == ["worker"]:  # started by a supervisor: no argument parser in its memory
        from iraas.cli.worker import worker

        worker()
        return
    if arguments == ["web"]:
        from iraas.cli.web import web

        web()
        return
    if arguments == ["instance"]:
        from iraas.cli.instance import instance

        instance()
        return
    from iraas.cli.commands import app

    app(prog_name="iraas")
