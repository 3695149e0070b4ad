"""user data's files -> an instance's services, as systemd would run them. PID 1 of an instance that is not booted.

It keeps the contract of our units: when `leave` appears in the instance's folder, the tier's services stop, and
then `left` is written; `iraas instance` goes on. Standard library only.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.rig.machines.service import Service
from tests.rig.machines.user_data import files, variables

LOOK_SECONDS = 0.1  # for `leave`, and for what is due
ENVIRONMENT = "/etc/iraas/iraas.env"
ORDERS = {
    signal.SIGTERM,
    signal.SIGRTMIN + 4,
}  # to stop all in order: the machine's, and systemd's own for that


class Supervisor:
    """The services of one instance.

    `plan`: `folder`, the instance's own, `user_data`, `python` which has iraas, `given` the environment before user
    data's variables, `forced` the one after them, `metrics_base` one less than the first worker's port.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        folder = Path(plan["folder"])
        self._run = folder / "run"
        self._run.mkdir(exist_ok=True)
        environment = plan["given"] | _written(folder, plan["user_data"]) | plan["forced"]
        environment["IRAAS_INSTANCE_FOLDER"] = str(self._run)

        def service(command: str, **more: str) -> Service:
            return Service([plan["python"], "-m", "iraas", command], environment | more, str(folder))

        if environment.get("IRAAS_INSTANCE_TIER", "app") == "web":
            self._tier = [service("web")]
        else:
            numbers = range(1, int(environment.get("IRAAS_WORKERS_PER_INSTANCE", "1")) + 1)
            ports = [str(plan["metrics_base"] + number) for number in numbers]
            self._tier = [service("worker", IRAAS_METRICS_PORT=port) for port in ports]
        self._life = service("instance", IRAAS_INSTANCE_METRICS_BASE=str(plan["metrics_base"]))
        self._left = False

    def run(self) -> None:
        """Until it is told to stop, and all have stopped."""
        signals = {*ORDERS, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # to be waited for
        services = [self._life, *self._tier]
        stopping = False
        while not stopping or any(each.pid for each in services):
            for each in services:
                each.tick()
            self._look()
            came = signal.sigtimedwait(signals, LOOK_SECONDS)
            if came is not None and came.si_signo in ORDERS:
                stopping = True
                for each in services:
                    each.stop()
            self._reap(services)

    def _look(self) -> None:
        if self._left or not (self._run / "leave").exists():
            return
        for each in self._tier:
            each.stop()
        if not any(each.pid for each in self._tier):
            (self._run / "left").touch()
            self._left = True

    def _reap(self, services: list[Service]) -> None:
        """All that ended, orphans of services too, since they have no other parent here."""
        with suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                for each in services:
                    if each.pid == pid:
                        each.ended()


def _written(folder: Path, user_data: str) -> dict[str, str]:
    """Write user data's files into the instance's folder; its variables, which name them there."""
    texts = files(user_data)
    moved = {place: folder / "files" / place.lstrip("/") for place in texts}
    for place, path in moved.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[place])
    found = variables(texts.get(ENVIRONMENT, ""))
    return {name: str(moved.get(value, value)) for name, value in found.items()}


if __name__ == "__main__":
    Supervisor(json.loads(Path(sys.argv[1]).read_text())).run()
