"""`iraas models list|check`: which models there are, and the proof that one works here."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
import typer

from iraas.errors import ConfigurationError
from iraas.settings import Settings, load_settings

app = typer.Typer(help="The models, and the proof that they work here.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show the bundled models, the cheapest first. A model folder of your own can stand wherever a name can."""
    from iraas.models.catalog import BUNDLED, find_model

    folders = {name: find_model(name) for name in BUNDLED}
    if as_json:
        facts = [
            {
                "name": name,
                "model": f"{folder.spec.name}@{folder.fingerprint}",
                "size": folder.spec.size,
                "mirror": folder.spec.mirror,
                "classes": len(folder.labels),
                "bytes": folder.onnx.stat().st_size,
                "licence": folder.spec.licence,
                "provenance": " ".join(folder.spec.provenance.split()),
            }
            for name, folder in folders.items()
        ]
        typer.echo(json.dumps(facts, indent=2))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "model", "px", "classes", "MB", "licence", box=SIMPLE_HEAD)
    for name, folder in folders.items():
        megabytes = f"{folder.onnx.stat().st_size / 1e6:.1f}"
        model = f"{folder.spec.name}@{folder.fingerprint}"
        table.add_row(
            name, model, str(folder.spec.size), str(len(folder.labels)), megabytes, folder.spec.licence
        )
    Console().print(table)


@app.command()
def check(
    model: Annotated[
        str | None, typer.Argument(help="fast, default, accurate, or a model folder. [default: all bundled]")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="openvino or onnxruntime. [default: openvino]")] = None,
    as_json: Json = False,
) -> None:
    """Prove a model: its file's hash, its labels, that the engine runs it, and that it knows known pictures.

    Exit code 0 when it does, 1 when it takes a known picture for something else, 2 when it cannot be run.
    """
    from iraas.cli.model_proof import prove
    from iraas.models.catalog import BUNDLED

    names = (model,) if model else BUNDLED
    proofs = [prove(load_settings(model=name, engine=engine)) for name in names]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(proofs)).decode())
    else:
        for proof in proofs:
            typer.echo(f"{'ok  ' if proof.ok else 'BAD '} {proof.in_words()}")
    raise typer.Exit(0 if all(proof.ok for proof in proofs) else 1)


def check_model(settings: Settings) -> str:
    """One line about the model of `settings`, for `doctor`. Raises `ConfigurationError` when it does not work."""
    from iraas.cli.model_proof import prove

    proof = prove(settings)
    if not proof.ok:
        raise ConfigurationError(
            f"{proof.in_words()}: correct labels.txt and model.toml, or use a bundled model"
        )
    return proof.in_words()
