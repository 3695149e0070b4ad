"""`iraas keys new NAME`: an API key, shown once."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from iraas.errors import ConfigurationError

app = typer.Typer(help="API keys.", no_args_is_help=True)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@app.callback()
def keys() -> None:
    """API keys."""


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Whose key it is: letters, digits, `.`, `_` and `-`.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a key. It is shown once; the service keeps only its hash, in IRAAS_API_KEYS."""
    from iraas.web.auth import new_key

    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot name a key; use up to 64 letters, digits, `.`, `_` and `-`"
        )
    key, entry = new_key(name)
    if as_json:
        typer.echo(json.dumps({"name": name, "key": key, "entry": entry}))
        return
    typer.echo(f"The key, for the client (it is not stored anywhere):\n\n  {key}\n")
    typer.echo(f"Its entry, for the server (with commas between several):\n\n  IRAAS_API_KEYS={entry}")
