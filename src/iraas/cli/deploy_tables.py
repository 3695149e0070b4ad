"""Preview, changes -> tables for people, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iraas.deploy.changes import ChangeSet
    from iraas.deploy.preview import Preview

WIDTH = 110  # characters of a table at most


def as_text(name: str, region: str, preview: Preview, written: Sequence[Path] = ()) -> str:
    """What would be deployed, and what it would cost."""
    prices, costs = preview.prices, preview.estimate
    money = f"{prices.currency}, {prices.region}, {prices.date}"
    lines = [
        f"The stack {name} in {region or 'the region of your profile'}. Nothing was asked, made or changed.",
        "",
    ]
    lines += table(
        ("Parameter", "value"),
        [(parameter.name, preview.shown(parameter) or "-") for parameter in preview.asked],
    )
    counted = [(kind, str(number)) for kind, number in preview.resources.items()]
    lines += ["", *table(("Resource", "how many"), counted, right=1)]
    rows = [(row.what, f"{row.amount:,.2f} {row.unit}", f"{row.cost:,.2f}") for row in costs.at_rest]
    rows.append(("Together", "", f"{costs.month:,.2f}"))
    lines += ["", *table(("A month in which nothing happens", "how much", money), rows, right=1)]
    lines += [
        "",
        f"With all instances that it may start: {costs.most_an_hour:,.2f} {prices.currency} an hour.",
    ]
    lines.append(
        f"A million pictures on top: {costs.million:,.2f} {prices.currency}, an app instance's time with them."
    )
    lines.append("Not in it: free tiers, discounts, taxes, the balancer's capacity units, traffic, logs.")
    if costs.unpriced:
        lines.append(
            f"Not in it either, since their prices are not known: {', '.join(costs.unpriced)} (--prices)."
        )
    if preview.values["CertificateArn"] == "" and preview.values["AllowHttp"] != "true":
        lines.append("To deploy, add --certificate ARN for HTTPS, or --http to serve without encryption.")
    lines += [f"Written: {path}" for path in written]
    return "\n".join(lines)


def as_json_text(name: str, region: str, preview: Preview) -> str:
    """The same for programs, with the template."""
    costs = preview.estimate
    return json.dumps(
        {
            "stack": name,
            "region": region or None,
            "parameters": {
                parameter.name: preview.shown(parameter)
                if parameter.secret
                else preview.values[parameter.name] or None
                for parameter in preview.asked
            },
            "resources": preview.resources,
            "cost": {
                "currency": preview.prices.currency,
                "date": preview.prices.date,
                "region": preview.prices.region,
                "rows": [row._asdict() for row in costs.at_rest],
                "month": costs.month,
                "most_an_hour": costs.most_an_hour,
                "million_pictures": costs.million,
                "unpriced": costs.unpriced,
            },
            "template": preview.template,
        },
        indent=2,
    )


def of_changes(changes: ChangeSet) -> list[str]:
    """Each change in a line; replacements stand out, since what they replace is gone."""
    rows = [
        (
            change.action,
            change.logical_id,
            change.kind,
            {"True": "is replaced", "Conditional": "may be replaced"}.get(change.replacement, ""),
        )
        for change in changes.changes
    ]
    return table(("Change", "resource", "kind", ""), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: int | None = None) -> list[str]:
    """Rows in columns; those from `right` on are flush right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, title in enumerate(head):
        table.add_column(title, justify="right" if right is not None and number >= right else "left")
    for row in rows:
        table.add_row(*(text.replace("[", r"\[") for text in row))
    console = Console(width=WIDTH, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().rstrip().splitlines()]
