"""a stack's name -> what it does now: `iraas status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iraas.cli.deploy import Json, Name, Region

if TYPE_CHECKING:
    from iraas.deploy.status import Status


def status(
    name: Name = "iraas",
    region: Region = "",
    env: Annotated[
        bool,
        typer.Option("--env", help="Print only the settings that `iraas audit` and `dead-letters` need."),
    ] = False,
    prices: Annotated[Path | None, typer.Option(help="Prices of your own. [default: list prices]")] = None,
    as_json: Json = False,
) -> None:
    """Show what the service on AWS does: queues, instances, alarms, decisions, today's cost, and whether it answers.

    `iraas status --env > iraas.env; set -a; . ./iraas.env` makes `iraas audit` ask this deployment.

    Exit code 1: the service does not answer, or the stack is in a state that needs you.
    """
    from iraas.deploy.account import Account
    from iraas.deploy.bill import PRICES, WrongInput, read_prices
    from iraas.deploy.operators import environment
    from iraas.deploy.options import check_name
    from iraas.deploy.stack import Stack
    from iraas.deploy.status import look
    from iraas.errors import ConfigurationError

    check_name(name)
    stack = Stack(Account(region), name)
    if env:
        for setting, value in environment(stack).items():
            typer.echo(f"{setting}={value}")
        return
    try:
        listed = read_prices(prices or PRICES)
    except WrongInput as error:
        raise ConfigurationError(f"--prices: {error}") from error
    found = look(stack, listed)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        typer.echo(as_text(found))
    raise typer.Exit(0 if found.answers and found.status.endswith("_COMPLETE") else 1)


def as_text(found: Status) -> str:
    """What there is to say, for people."""
    from iraas.cli.deploy_tables import table

    answers = "answers" if found.answers else "does not answer"
    lines = [f"{found.stack} in {found.region} is {found.status}{found.reason and f' ({found.reason})'}"]
    if found.address:
        lines.append(f"{found.address} {answers}")
    queues = [(queue.name, f"{queue.visible:,}", f"{queue.in_flight:,}") for queue in found.queues]
    tiers = [
        (
            tier,
            str(found.wanted[tier]),
            ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "-",
        )
        for tier, states in found.instances.items()
    ]
    alarms = [(alarm.name, alarm.state) for alarm in found.alarms]
    decisions = [
        (f"{decision.at:%Y-%m-%d %H:%M:%S}", decision.tier, decision.status, decision.what)
        for decision in found.decisions
    ]
    for head, rows in (
        (("Queue", "wait", "in work"), queues),
        (("Tier", "wanted", "instances"), tiers),
        (("Alarm", "state"), alarms),
        (("Decision (UTC)", "tier", "", ""), decisions),
    ):
        if rows:
            lines += ["", *table(head, rows)]
    if found.spent:
        cost = found.spent
        so_far = cost.instances + cost.balancer
        lines += [
            "",
            f"Today since 00:00 UTC: about {so_far:.2f} {cost.currency}; now {cost.an_hour:.2f} an hour.",
        ]
        lines.append(f"That is instances that run and the balancer, without {cost.without}.")
        if cost.unpriced:
            lines.append(
                f"No price is known of {', '.join(cost.unpriced)}; --prices takes a file with yours."
            )
    lines += [f"Not known: {what}" for what in found.unknown]
    return "\n".join(lines)
