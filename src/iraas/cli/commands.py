"""The table of commands."""

from __future__ import annotations

import typer

from iraas.cli import (
    audit,
    classify,
    dead_letters,
    deploy,
    destroy,
    doctor,
    instance,
    keys,
    load,
    models,
    scaling,
    status,
    up,
    web,
    worker,
)

app = typer.Typer(
    name="iraas",
    help="Image recognition as a service: a picture in, its label out, through durable queues.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(up.up)
app.command()(classify.classify)
app.command()(load.load)
app.command()(web.web)
app.command()(worker.worker)
app.command()(instance.instance)
app.command()(audit.audit)
app.command()(doctor.doctor)
app.command()(deploy.deploy)
app.command()(status.status)
app.command()(destroy.destroy)
app.add_typer(scaling.app, name="scaling")
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.add_typer(dead_letters.app, name="dead-letters")
