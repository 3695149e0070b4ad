"""`python -m bench`: measure, print tables, write a JSON file for each subject (`FILES`) and `embedded.png`."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import (
    aws,
    cost,
    dry_run,
    fleet,
    footprint,
    from_zero,
    generator_cost,
    killed,
    latency,
    overload,
    plot,
    report,
    scaling,
    top1,
)
from bench.folders import DATA, MOST_DATA_BYTES, OUT
from bench.machine import Bystanders, Machine, look
from bench.pictures import Pictures, prepare
from bench.session import Session

GROUPS: dict[str, ModuleType] = {
    "cost": cost,
    "latency": latency,
    "footprint": footprint,
    "overload": overload,
    "kill": killed,
    "top1": top1,
    "aws": aws,
    "scaling": scaling,
    "fleet": fleet,
    "from-zero": from_zero,
    "dry-run": dry_run,
    "generator": generator_cost,
}
FILES = {  # what is not of one machine's embedded service has a file of its own
    "aws": (("aws",), "AWS backend, on stand-ins"),
    "deploy": (("dry-run",), "deployment"),
    "scaling": (("scaling", "fleet", "from-zero", "generator"), "scaling"),
}


def main(
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"A figure's name, or a group's: {', '.join(GROUPS)}. May be given again."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Short rounds, for trying the bench itself.")
    ] = False,
) -> None:
    """Measure iraas on this machine, side by side with its bare loop and other servers. Takes 40 minutes.

    Figures of a part (--only, --quick) go to partial.json and partial.png: embedded.json holds one whole run. Those of
    the AWS backend go to aws.json and those of scaling to scaling.json, with `partial-` before when they are --quick.
    """
    chosen = _chosen(only)
    whole = not quick and len(chosen) == len(GROUPS)
    said = Console(width=None if sys.stdout.isatty() else 120)
    begun = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    pictures = prepare()
    machine = look()
    for line in (*machine.lines(), f"{pictures.source}, {pictures.mean_kb:.0f} KB on average"):
        said.print(line, highlight=False)

    session, failed, group_of = _measured(chosen, pictures, quick=quick, said=said)
    facts = {**_facts(machine), "bench_seconds": round(time.monotonic() - begun)}

    apart = {group for groups, _ in FILES.values() for group in groups}
    here = {name: spread for name, spread in session.results.items() if group_of[name] not in apart}
    stem = OUT / ("embedded" if whole else "partial")
    files = {stem.with_suffix(".json"): (here, "one machine, embedded backend")}
    for file, (groups, title) in FILES.items():
        found = {name: spread for name, spread in session.results.items() if group_of[name] in groups}
        files[OUT / f"{'partial-' if quick else ''}{file}.json"] = (found, title)
    kept = {f"{file}.json" for file in FILES}  # groups may be measured one at a time
    for path, (results, title) in files.items():
        if results:
            said.print(report.details(results))
            said.print(report.table(results, title))
            report.write(path, results, facts, keep=path.name in kept)
            said.print(f"{path}; {facts['bench_seconds']} s in all", highlight=False)
    for note in session.notes:
        said.print(f"- {note}", highlight=False)
    if "core_ms" in here or "latency_ms_p50" in here:
        plot.draw(stem.with_suffix(".png"), here, next(iter(machine.lines())))
    _tidy(said)
    if failed:
        raise typer.Exit(1)


def _measured(
    chosen: Mapping[str, ModuleType], pictures: Pictures, *, quick: bool, said: Console
) -> tuple[Session, list[str], dict[str, str]]:
    """What came of the groups, the names of those that broke (the others still count), and each figure's group."""
    failed: list[str] = []
    group_of: dict[str, str] = {}
    with _progress(Console(stderr=True)) as progress:
        task = progress.add_task("", total=sum(group.steps(quick) for group in chosen.values()))
        session = Session(pictures, quick, lambda what: progress.update(task, advance=1, description=what))
        for name, group in chosen.items():
            bystanders = Bystanders()
            try:
                group.measure(session)
            except Exception as error:  # noqa: BLE001 - it is said, and the exit code tells
                failed.append(name)
                session.notes.append(f"{name}: not measured: {error!r}")
                said.print_exception()
            session.put(f"{name}_others_cores", bystanders.cores())
            group_of |= {figure: name for figure in session.results if figure not in group_of}
    others = ", ".join(f"{session.results[f'{name}_others_cores'].value:.2f} ({name})" for name in chosen)
    session.notes.append(f"cores that others kept busy meanwhile: {others}")
    return session, failed, group_of


def _chosen(only: list[str] | None) -> dict[str, ModuleType]:
    if not only:
        return GROUPS
    for name in only:
        if name not in GROUPS and not any(name in group.NAMES for group in GROUPS.values()):
            raise typer.BadParameter(f"{name} is neither a figure nor one of {', '.join(GROUPS)}")
    return {
        name: group
        for name, group in GROUPS.items()
        if name in only or any(figure in only for figure in group.NAMES)
    }


def _progress(console: Console) -> Progress:
    return Progress(
        BarColumn(30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
    )


def _facts(machine: Machine) -> dict[str, float]:
    """The machine as numbers, beside the figures."""
    return {
        "cores": machine.cores,
        "cpu_amx": int("AMX" in machine.abilities),
        "cpu_avx512": int("AVX-512" in machine.abilities),
        "cpu_avx2": int("AVX2" in machine.abilities),
        "bf16": int(machine.bfloat16),
        "load_before": round(machine.loads[0], 2),
    }


def _tidy(said: Console) -> None:
    """Remove the services' data when it has grown large: after a run, as it slows the file system for minutes."""
    used = sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file())
    if used > MOST_DATA_BYTES:
        said.print(f"removing {used / 1e9:.0f} GB of the services' data in {DATA}", highlight=False)
        shutil.rmtree(DATA)


if __name__ == "__main__":
    typer.run(main)
