"""flags -> a service on AWS, or what it would be and cost: `iraas deploy`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iraas.cli.durations import seconds_of
from iraas.errors import ConfigurationError, IraasError

if TYPE_CHECKING:
    from iraas.cli.deploy_watch import DeployWatch
    from iraas.deploy.account import Account
    from iraas.deploy.deployment import Deployment
    from iraas.deploy.options import Options
    from iraas.deploy.release import Release
    from iraas.deploy.stack import State
    from iraas.scaling.plan import Plan

Name = Annotated[str, typer.Argument(help="The stack's name: small letters, digits and hyphens.")]
Region = Annotated[
    str, typer.Option(help="AWS region. [default: AWS_REGION, or the profile's]", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]


def deploy(
    name: Name = "iraas",
    region: Region = "",
    certificate: Annotated[
        str | None, typer.Option(help="ARN of a certificate of this region, for HTTPS.")
    ] = None,
    http: Annotated[
        bool | None,
        typer.Option("--http/--no-http", help="Serve without encryption: keys can be read on their way."),
    ] = None,
    vpc: Annotated[str, typer.Option(help="[default: the default VPC]", show_default=False)] = "",
    subnet: Annotated[
        list[str] | None,
        typer.Option(help="Once for each, in two zones at least. [default: one in each fitting zone]"),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="Scaling policy of the app tier, as `iraas scaling recommend` writes it."),
    ] = None,
    minimum: Annotated[
        int | None, typer.Option("--min", min=0, help="App instances at least. [default: 0]")
    ] = None,
    maximum: Annotated[
        int | None, typer.Option("--max", min=1, help="App instances at most. [default: 10]")
    ] = None,
    web_min: Annotated[int | None, typer.Option(min=1, help="Web instances at least. [default: 2]")] = None,
    web_max: Annotated[int | None, typer.Option(min=1, help="Web instances at most. [default: 6]")] = None,
    instance_type: Annotated[
        str | None, typer.Option(help="Of the app tier. [default: one of four with two vCPUs]")
    ] = None,
    web_instance_type: Annotated[str | None, typer.Option(help="Of the web tier.")] = None,
    architecture: Annotated[str | None, typer.Option(help="x86_64 or arm64. [default: x86_64]")] = None,
    image: Annotated[
        str | None, typer.Option(help="AMI with iraas installed. [default: Debian 12, installed at boot]")
    ] = None,
    spot: Annotated[
        int | None, typer.Option(min=0, max=100, help="Percentage of app instances on spot. [default: 0]")
    ] = None,
    workers_per_instance: Annotated[
        int | None, typer.Option(min=1, max=99, help="Workers of an app instance. [default: one a vCPU]")
    ] = None,
    model: Annotated[str | None, typer.Option(help="fast, default or accurate. [default: default]")] = None,
    api_key: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:SHA256", help="Who may ask, once for each. [default: a new key]"),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(min=0, help="USD a month of the account, beyond which --budget-email is told."),
    ] = None,
    budget_email: Annotated[str | None, typer.Option(help="Who is told.")] = None,
    prices: Annotated[Path | None, typer.Option(help="Prices of your own. [default: list prices]")] = None,
    wait: Annotated[
        float, typer.Option(parser=seconds_of, metavar="TIME", help="How long to wait for its first answer.")
    ] = "15m",  # type: ignore[assignment]
    release: Annotated[
        Path | None, typer.Option(help="A release that was built before. [default: built of this iraas]")
    ] = None,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show template, parameters and cost, and ask nobody anything.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder that --dry-run writes template and parameters into.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the service on AWS, or bring it up to date: one stack, shown before anything is changed.

    What is not said stays as it is. Every call goes on from where an earlier one stopped, whatever stopped it.
    Without --api-key a new stack gets a key, which is printed once and stored nowhere.

    Exit code 1: it was not deployed, or does not answer yet; what is printed says why, and what to do.
    """
    from iraas.deploy.options import Options

    options = Options(
        certificate=certificate,
        http=http,
        minimum=minimum,
        maximum=maximum,
        web_minimum=web_min,
        web_maximum=web_max,
        instance_type=instance_type,
        web_instance_type=web_instance_type,
        architecture=architecture,
        image=image,
        spot=spot,
        workers_per_instance=workers_per_instance,
        model=model,
        api_keys=tuple(api_key or ()),
        budget=budget,
        budget_email=budget_email,
    )
    plan = _plan(policy)
    if dry_run:
        _preview(name, options, plan, region, vpc, tuple(subnet or ()), prices, out, as_json=as_json)
        return
    if out is not None:
        raise ConfigurationError("--out is for --dry-run")

    from iraas.cli.deploy_watch import DeployWatch
    from iraas.deploy.account import Account
    from iraas.deploy.deployment import Deployment, Request
    from iraas.deploy.stack import Stack
    from iraas.web.auth import new_key

    account = Account(region)
    with DeployWatch(name, yes=yes, as_json=as_json) as watch:
        request = Request(
            name,
            options,
            plan,
            vpc,
            tuple(subnet or ()),
            lambda architecture: _release(release, architecture, watch),
            lambda: new_key("admin"),
        )
        deployment = Deployment(account, Stack(account, name), request)
        watch.key = lambda: deployment.api_key
        state = _run(deployment, watch, name)
        _served(account, state, watch, wait)


def _run(deployment: Deployment, watch: DeployWatch, name: str) -> State:
    """Deploy. Ctrl-C ends this process and not what AWS does."""
    try:
        return deployment.run(watch)
    except KeyboardInterrupt:
        if watch.has_begun:
            watch.says(
                f"Stopped here. AWS goes on; `iraas deploy {name}` follows it, and goes on from where it is."
            )
        else:
            watch.says("Stopped. Nothing was changed.")
        watch.failed()
        raise typer.Exit(130) from None
    except IraasError as error:
        watch.failed(str(error))
        raise


def _served(account: Account, state: State, watch: DeployWatch, wait: float) -> None:
    """Wait for the first answer, and say how to ask for the next."""
    from iraas.deploy.reach import wait_until_it_answers

    address = state.outputs.get("Address", "")
    alive = None if wait <= 0 or not address else wait_until_it_answers(address, watch.waiting, most=wait)
    watch.finished(account, state, alive=alive, waited=wait)
    if alive is False:
        raise typer.Exit(1)


def _plan(path: Path | None) -> Plan | None:
    if path is None:
        return None
    from iraas.wiring.policy_file import read_policy

    return read_policy(path)


def _preview(
    name: str,
    options: Options,
    plan: Plan | None,
    region: str,
    vpc: str,
    subnets: tuple[str, ...],
    prices: Path | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    from iraas.cli.deploy_tables import as_json_text, as_text
    from iraas.deploy.bill import PRICES
    from iraas.deploy.preview import preview

    found = preview(name, options, plan, region=region, vpc=vpc, subnets=subnets, prices=prices or PRICES)
    written = found.written_into(out) if out else []
    typer.echo(as_json_text(name, region, found) if as_json else as_text(name, region, found, written))


def _release(given: Path | None, architecture: str, watch: DeployWatch) -> Release:
    from iraas.deploy.release import Release as Built
    from iraas.deploy.release import build_release

    if given is None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        with watch.building() as on_progress:
            return build_release(
                cache / "iraas" / "releases",
                architecture=architecture,  # type: ignore[arg-type]
                on_progress=on_progress,
            )
    import hashlib

    try:
        with given.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(f"--release {given} cannot be read: {error.strerror}") from error
    if f"-{architecture}-" not in given.name or given.suffix != ".tar":
        raise ConfigurationError(
            f"--release {given.name} is no release for {architecture}: iraas-...-{architecture}-....tar"
        )
    return Built(given, digest, f"releases/{given.name}")
