"""Settings -> the plan that the fleet of one machine follows, the fleet, and who steers it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from iraas.clock import SystemClock
from iraas.errors import ConfigurationError
from iraas.fleet.arrivals import ArrivalLog
from iraas.fleet.chronicle import Chronicle
from iraas.fleet.local import LocalFleet, clean_environment, this_command
from iraas.fleet.tally import Tally
from iraas.places import begun_note, fleet_file
from iraas.queues.sqlite import SqliteDatabase, SqliteResponseQueues
from iraas.scaling.controller import Controller
from iraas.scaling.plan import Plan, default_plan
from iraas.scaling.sensor import QueueSensor, Worked
from iraas.settings import MOST_WORKERS, Settings, usable_cores
from iraas.wiring.embedded import request_queue
from iraas.wiring.policy_file import read_policy
from iraas.worker.begun import read_note

TRACE = "trace.csv"  # in the data folder


class MachineFleet(NamedTuple):
    """The processes of one machine, who steers them, and what is kept of the traffic."""

    fleet: LocalFleet
    controller: Controller
    arrivals: ArrivalLog


def plan_of(settings: Settings) -> Plan:
    """The policy between its bounds. Raises `ConfigurationError` that names file, field and mend.

    Bounds that are set win over those of a policy file; without either there is one worker a core.
    """
    known = read_policy(Path(settings.policy)) if settings.policy else None
    minimum, maximum = settings.min_workers, settings.max_workers
    if known is not None and "workers" not in settings.model_fields_set:
        minimum = known.minimum if minimum is None else minimum
        maximum = known.maximum if maximum is None else maximum
        if maximum > MOST_WORKERS:
            raise ConfigurationError(
                f"the policy {settings.policy}: its maximum of {maximum} is for more than one machine; "
                f"give --max, at most {MOST_WORKERS}"
            )
    if minimum is None:
        minimum = settings.workers if maximum is None else min(settings.workers, maximum)
    if maximum is None:
        maximum = max(settings.workers, minimum)
    if minimum > maximum:
        raise ConfigurationError(f"--min {minimum} is more than --max {maximum}; lower it, or raise --max")
    if known is not None:
        return msgspec.structs.replace(known, minimum=minimum, maximum=maximum)
    return default_plan(minimum, maximum)


async def build_fleet(
    settings: Settings,
    plan: Plan,
    database: SqliteDatabase,
    *,
    listen_fd: int,
    metrics: Path,
    command: Sequence[str] | None,
    on_serving: Callable[[], None],
) -> MachineFleet:
    """The processes of this machine and their controller; leases of an earlier run, all dead, are ended."""
    requests = request_queue(database, settings)
    clock = SystemClock()
    tally = Tally()

    async def end_leases(owner: str) -> None:
        await requests.end_leases(owner, begun=read_note(begun_note(settings, owner)))

    for owner in await requests.owners():
        await end_leases(owner)
    chronicle = Chronicle(
        fleet_file(settings),
        clock=clock,
        minimum=plan.minimum,
        maximum=plan.maximum,
        policy=plan.policy.title,
        service_seconds=lambda: tally.service_seconds,
    )
    fleet = LocalFleet(
        command=command or this_command(),
        environment={
            **clean_environment(),
            **settings.environment(),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        },
        listen_fd=listen_fd,
        minimum=plan.minimum,
        starts_at_once=max(1, usable_cores() // 2),  # the others serve: a first answer comes a third sooner
        owners=requests.owners,
        end_leases=end_leases,
        chronicle=chronicle,
        tally=tally,
        on_serving=on_serving,
    )
    arrivals = ArrivalLog(settings.data / TRACE, clock)
    sensor = QueueSensor(
        depth=requests.depth,
        count_busy=fleet.count_busy,
        replies=SqliteResponseQueues(database).waiting,
        worked=lambda: Worked(tally.ended, tally.service_seconds, chronicle.boot_seconds),
        clock=clock,
        on_arrivals=arrivals.came,
    )
    controller = Controller(plan=plan, sensor=sensor, fleet=fleet, witness=chronicle, clock=clock)
    return MachineFleet(fleet, controller, arrivals)
