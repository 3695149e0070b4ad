"""`iraas scaling`: which rule for which traffic, found out before any money is spent."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from iraas.cli.durations import seconds_of
from iraas.cli.progress import progress
from iraas.cli.scaling_flags import (
    Boot,
    Clients,
    Json,
    Lasting,
    Objective,
    Picture,
    Rate,
    Requests,
    Seed,
    Service,
)
from iraas.errors import ConfigurationError

app = typer.Typer(
    name="scaling",
    help="Try scaling policies on a simulated service: one, several side by side, or the best for your traffic.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
HOUR = "1h"


@app.command()
def simulate(
    workload: Annotated[
        str, typer.Option(help="steady, burst, step, spike, flash, ramp, daily, waves, or FILE.csv.")
    ] = "steady",
    rate: Rate = 10.0,
    duration: Lasting = HOUR,  # type: ignore[assignment]
    service: Service = "20ms",  # type: ignore[assignment]
    service_dist: Annotated[str, typer.Option(help="constant or exponential.")] = "constant",
    boot: Boot = "60s",  # type: ignore[assignment]
    minimum: Annotated[int | None, typer.Option("--min", help="Workers at least. [default: 0]")] = None,
    maximum: Annotated[int | None, typer.Option("--max", help="Workers at most. [default: 20]")] = None,
    fixed: Annotated[
        int | None, typer.Option(help="So many workers all the time, and no policy: queueing theory.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy.toml. [default: our own rule]")] = None,
    objective: Objective = "2s",  # type: ignore[assignment]
    patience: Annotated[
        float | None, typer.Option(parser=seconds_of, metavar="TIME", help="After which a client is gone.")
    ] = None,
    clients: Clients = 100,
    requests: Requests = 100,
    mode: Annotated[str, typer.Option(help="auto, exact (picture by picture) or steps (of time).")] = "auto",
    seed: Seed = 0,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """Play one policy on one workload, and say what a client would feel and what it would cost."""
    from iraas.cli.scaling_options import check_picture, check_times, plan_of, refused_as_options, workload_of
    from iraas.cli.scaling_tables import as_json_text, of_one
    from iraas.scaling.contenders import Facts
    from iraas.scaling.instances import Boot as BootTime
    from iraas.scaling.scenario import Scenario
    from iraas.scaling.service import Service as Pace
    from iraas.scaling.simulate import simulate as play

    check_times(service=service, duration=duration, objective=objective)
    check_picture(picture)
    facts = Facts(service=service, objective=objective, boot=max(boot, 0.001))
    with refused_as_options():
        scenario = Scenario(
            workload_of(
                workload, rate=rate, duration=duration, seed=seed, clients=clients, requests=requests
            ),
            Pace(seconds=service, distribution=service_dist),  # type: ignore[arg-type]
            None if fixed is not None else plan_of(policy, facts, minimum=minimum, maximum=maximum),
            fixed=fixed,
            boot=BootTime(boot=boot),
            objective=objective,
            patience=math.inf if patience is None else patience,
            seed=seed,
            mode=mode,  # type: ignore[arg-type]
        )
    with progress("simulating", total=1.0) as moved_to:
        result = play(scenario, lambda part: moved_to(part, ""))
    if picture is not None:
        from iraas.cli.scaling_picture import draw

        draw(picture, {scenario.title: result}, title=workload, objective=objective)
    typer.echo(as_json_text(result.as_json()) if as_json else of_one(scenario, result))


@app.command()
def compare(
    workload: Annotated[
        list[str] | None, typer.Option(help="May be given again. [default: all eight of `simulate`]")
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option(help="A name or a policy.toml; again for more. [default: all ten]")
    ] = None,
    rate: Rate = 10.0,
    duration: Lasting = HOUR,  # type: ignore[assignment]
    service: Service = "500ms",  # type: ignore[assignment]
    boot: Boot = "60s",  # type: ignore[assignment]
    minimum: Annotated[int, typer.Option("--min", help="Workers at least.")] = 1,
    maximum: Annotated[int, typer.Option("--max", help="Workers at most.")] = 20,
    objective: Objective = "2s",  # type: ignore[assignment]
    seed: Seed = 0,
    picture: Picture = None,
    show: Annotated[
        str | None, typer.Option(help="The workload of the picture. [default: the first]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play policies side by side on the same pictures: waits, late ones, hours, cost, peak and reversals."""
    from iraas.cli.scaling_options import (
        check_picture,
        check_times,
        policies_of,
        refused_as_options,
        workload_of,
    )
    from iraas.cli.scaling_tables import as_json_text, of_many
    from iraas.scaling.compare import Entry, workloads
    from iraas.scaling.compare import compare as play
    from iraas.scaling.contenders import Facts
    from iraas.scaling.instances import Boot as BootTime
    from iraas.scaling.scenario import Scenario
    from iraas.scaling.service import Service as Pace

    check_times(service=service, duration=duration, objective=objective)
    check_picture(picture)
    facts = Facts(service=service, objective=objective, boot=max(boot, 0.001))
    policies = policies_of(policy, facts)
    with refused_as_options():
        work = (
            {name: workload_of(name, rate=rate, duration=duration, seed=seed) for name in workload}
            if workload
            else workloads(rate=rate, duration=duration, seed=seed)
        )
        shown = show or next(iter(work))
        if shown not in work:
            raise ConfigurationError(f"--show {shown}: it is not among the workloads {', '.join(work)}")
        base = Scenario(
            work[shown],
            Pace(seconds=service),
            fixed=1,
            boot=BootTime(boot=boot),
            objective=objective,
            seed=seed,
        )
        entries: list[Entry] = []
        with progress("comparing", total=len(policies) * len(work)) as moved_to:
            for entry in play(
                policies,
                work,
                base,
                minimum=minimum,
                maximum=maximum,
                on_run=lambda what: moved_to(len(entries), what),
            ):
                entries.append(entry)  # noqa: PERF402 - the bar looks at how many there are
    if picture is not None:
        from iraas.cli.scaling_picture import draw

        results = {entry.policy: entry.result for entry in entries if entry.workload == shown}
        draw(picture, results, title=shown, objective=objective)
    typer.echo(as_json_text([entry.as_json() for entry in entries]) if as_json else of_many(entries))


@app.command()
def recommend(
    trace: Annotated[
        Path | None, typer.Option(help="CSV of when pictures came; `iraas up` keeps DATA/trace.csv.")
    ] = None,
    workload: Annotated[
        str | None, typer.Option(help="In place of a trace: steady, step, spike, flash, ramp, daily, waves.")
    ] = None,
    rate: Rate = 10.0,
    duration: Lasting = HOUR,  # type: ignore[assignment]
    objective: Objective = "2s",  # type: ignore[assignment]
    service: Annotated[
        float | None,
        typer.Option(
            parser=seconds_of, metavar="TIME", help="Of one picture. [default: as the service measured it]"
        ),
    ] = None,
    boot: Annotated[
        float | None,
        typer.Option(
            parser=seconds_of, metavar="TIME", help="Of one worker. [default: as the service measured it]"
        ),
    ] = None,
    minimum: Annotated[int, typer.Option("--min", help="Workers at least, whatever is found.")] = 0,
    maximum: Annotated[int, typer.Option("--max", help="Workers at most.")] = 20,
    deployable: Annotated[
        bool, typer.Option("--deployable", help="Only what CloudWatch alarms can run without our controller.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="A running service to take its measurements from. [default: of DATA]")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data folder of `iraas up`. [default: .iraas]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the winner is written.")] = Path("policy.toml"),
    as_json: Json = False,
) -> None:
    """Find the cheapest policy, and its minimum, that meets the objective for your traffic; write it to policy.toml.

    It is chosen on three seeds and reported on three others. Exit code 1 when nothing meets the objective.
    """
    from iraas.cli import scaling_recommend as recommending
    from iraas.cli.scaling_measured import of_service
    from iraas.cli.scaling_options import check_times, refused_as_options, trace_of, workload_of
    from iraas.cli.scaling_tables import as_json_text, of_recommendation
    from iraas.scaling.contenders import Facts
    from iraas.scaling.instances import Boot as BootTime
    from iraas.scaling.scenario import Scenario
    from iraas.scaling.service import Service as Pace
    from iraas.scaling.workloads import Burst

    if (trace is None) == (workload is None):
        raise ConfigurationError("--trace: give a trace of your traffic, or the --workload that it is like")
    if not 0 <= minimum <= maximum or maximum < 1:
        raise ConfigurationError(
            f"--min {minimum}, --max {maximum}: say 0 <= min <= max, and a max of 1 or more"
        )
    traffic = (
        trace_of(trace, option="--trace")
        if trace is not None
        else workload_of(str(workload), rate=rate, duration=duration, seed=0)
    )
    if isinstance(traffic, Burst):
        raise ConfigurationError(
            "--workload burst: clients that wait are no traffic to plan for; try spike or flash"
        )
    measured = recommending.calibrated(service, boot, *of_service(url, data))
    check_times(objective=objective, service=measured.service, boot=measured.boot)
    facts = Facts(service=measured.service, objective=objective, boot=measured.boot)
    with refused_as_options():
        base = Scenario(
            traffic,
            Pace(seconds=measured.service),
            fixed=1,
            boot=BootTime(boot=measured.boot),
            objective=objective,
        )
    found = recommending.search(traffic, base, facts, minimum=minimum, maximum=maximum, deployable=deployable)
    recommending.write(out, found.winner.plan)
    if as_json:
        typer.echo(as_json_text(recommending.as_json(found, measured, out)))
    else:
        typer.echo(f"{measured.source}\n\n{of_recommendation(found)}\n")
        for line in recommending.why(found, traffic, facts, minimum=minimum, maximum=maximum):
            typer.echo(f"- {line}")
        typer.echo(f"\nwritten to {out}: `iraas up --policy {out}` follows it")
    if not found.winner.meets:
        raise typer.Exit(1)
