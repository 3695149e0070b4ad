"""The docs say what the code says: a setting, metric, event, route, command or slug without a line fails."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import typer

from iraas import errors
from iraas.models.spec import ModelSpec
from iraas.settings import Settings
from iraas.telemetry import LOG_EVENTS, METRICS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_docs(name):
    """docs/settings.md has a row for each setting, with its description as the code gives it."""
    row = next(line for line in text("docs/settings.md").splitlines() if line.startswith(f"| `{name}` |"))
    assert row.endswith(f"| {Settings.model_fields[name].description} |")


def test_every_metric_stands_in_the_docs():
    """docs/metrics.md has a row for each metric, as the table in the code says it."""
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        assert f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |" in text("docs/metrics.md")


def test_every_log_event_stands_in_the_docs():
    """docs/metrics.md has a row for each event."""
    for event, what in LOG_EVENTS.items():
        assert f"| `{event}` | {what} |" in text("docs/metrics.md")


def test_every_slug_stands_in_the_readme():
    """The table of errors has each slug with its status."""
    rows = [line for line in text("README.md").splitlines() if line.startswith("| `")]
    for kind in (getattr(errors, name) for name in errors.__all__):
        if isinstance(kind, type) and kind.slug:
            assert any(f"`{kind.slug}`" in row and str(kind.status) in row for row in rows), kind.slug


def test_every_route_stands_in_the_readme():
    """The table of routes has each one that the application serves, and no other."""
    from iraas.web import compat, fleet, health, images

    served = set()
    for router in (
        images.routes(None)[0],
        compat.routes(None),
        fleet.routes(None),
        health.routes(probes={}, measure=None, telemetry=None),
    ):
        served |= {(method, route.path) for route in router.routes for method in route.methods}
    table = text("README.md").split("## HTTP")[1].split("Every error")[0]
    for method, path in served:
        assert re.search(rf"`(?:{method} )?{re.escape(path)}`", table), (method, path)


def test_every_command_stands_in_the_docs():
    """docs/commands.md has a row for each command."""
    from iraas.cli.commands import app

    def names(command: object, prefix: str) -> list[str]:
        children = getattr(command, "commands", None)
        if not children:
            return [prefix]
        return [name for key, child in children.items() for name in names(child, f"{prefix} {key}")]

    for name in names(typer.main.get_command(app), "iraas"):
        assert f"| `{name}" in text("docs/commands.md"), name


def test_every_field_of_a_model_folder_stands_in_the_docs():
    """docs/models.md names each field that a user of a model folder sets."""
    for name in set(ModelSpec.model_fields) - {"provenance", "licence"}:
        assert name in text("docs/models.md"), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_of_data_parses(document):
    """JSON and TOML blocks are JSON and TOML; the TOML of settings and models is valid there."""
    for language, block in _BLOCK.findall(document.read_text()):
        if language == "json":
            json.loads(block.replace("…", ""))
        if language == "toml":
            values = tomllib.loads(block)
            if document.name == "settings.md":
                Settings(**values)
            if document.name == "models.md":
                ModelSpec(**values)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    """A relative link or picture in the docs exists."""
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_every_make_target_in_the_docs_exists():
    """`make NAME` in a block names a target of the Makefile."""
    targets = set(re.findall(r"^(\w+):", text("Makefile"), re.MULTILINE))
    for document in DOCUMENTS:
        for name in re.findall(r"^make (\w+)", document.read_text(), re.MULTILINE):
            assert name in targets, (document.name, name)
