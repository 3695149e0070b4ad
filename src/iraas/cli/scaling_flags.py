"""What the options of `iraas scaling` are called and say. Nothing here is slow to import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iraas.cli.durations import seconds_of

Rate = Annotated[
    float, typer.Option(help="Pictures a second; docs/scaling.md says of what, for each workload.")
]
Lasting = Annotated[
    float, typer.Option(parser=seconds_of, metavar="TIME", help="How long pictures come: 90s, 1h, 24h.")
]
Boot = Annotated[
    float,
    typer.Option(parser=seconds_of, metavar="TIME", help="From a decision until a new worker takes jobs."),
]
Objective = Annotated[
    float, typer.Option(parser=seconds_of, metavar="TIME", help="How long a picture may wait for a worker.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of all that is random: the same seed, the same pictures.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Service = Annotated[
    float, typer.Option(parser=seconds_of, metavar="TIME", help="That one picture keeps one worker busy.")
]
Clients = Annotated[int, typer.Option(min=1, help="Of the workload burst: each waits for its answer.")]
Requests = Annotated[
    int, typer.Option(min=1, help="Of the workload burst: pictures of all clients together.")
]
Picture = Annotated[Path | None, typer.Option(help="Draw what happened over time into this .png or .svg.")]
