"""Options of `iraas scaling` -> workload, plan, scenario. Raises `ConfigurationError` that names option and mend."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iraas.errors import ConfigurationError
from iraas.scaling.contenders import Facts, contenders
from iraas.scaling.plan import Plan, read_plan
from iraas.scaling.policies.combined import AnyPolicy
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.trace import read_trace
from iraas.scaling.workloads import SHAPES, Burst, Workload, shape

FORMATS = (".png", ".svg", ".pdf")  # that a picture may have


def workload_of(
    name: str, *, rate: float, duration: float, seed: int, clients: int = 100, requests: int = 100
) -> Workload | Burst:
    """A workload by its name, or the trace in a file of that name."""
    if name == "burst":
        return Burst(clients=clients, requests=requests)
    if name in SHAPES:
        try:
            return shape(name, rate=rate, duration=duration, seed=seed)
        except ValueError as error:
            raise ConfigurationError(f"--rate, --duration: {error}") from error
    if not name.endswith(".csv"):
        raise ConfigurationError(
            f"--workload {name}: it is none of {', '.join((*SHAPES, 'burst'))}, and no .csv file"
        )
    return trace_of(Path(name), option="--workload")


def trace_of(path: Path, *, option: str) -> Workload:
    """The trace in a file, which is read line by line."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return read_trace(lines)
    except OSError as error:
        raise ConfigurationError(f"{option} {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{option} {path}: {error}") from error


def plan_of(path: Path | None, facts: Facts, *, minimum: int | None, maximum: int | None) -> Plan:
    """The plan in a file, or ours; bounds that are given win over those of the file."""
    try:
        if path is None:
            policy = Staffing(objective=facts.objective, boot=facts.boot, service=facts.service)
            return Plan(minimum=minimum or 0, maximum=20 if maximum is None else maximum, policy=policy)
        plan = read_plan(path.read_text(encoding="utf-8"))
        return Plan(
            minimum=plan.minimum if minimum is None else minimum,
            maximum=plan.maximum if maximum is None else maximum,
            policy=plan.policy,
        )
    except OSError as error:
        raise ConfigurationError(f"--policy {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"--policy {path}: {error}" if path else f"--min, --max: {error}") from error


def policies_of(names: list[str] | None, facts: Facts) -> dict[str, AnyPolicy]:
    """Policies by their names or files; without any, all that are known."""
    known = contenders(facts)
    if not names:
        return known
    found: dict[str, AnyPolicy] = {}
    for name in names:
        if name in known:
            found[name] = known[name]
        elif name.endswith(".toml"):
            found[Path(name).stem] = plan_of(Path(name), facts, minimum=None, maximum=None).policy
        else:
            raise ConfigurationError(f"--policy {name}: it is none of {', '.join(known)}, and no .toml file")
    return found


@contextmanager
def refused_as_options() -> Iterator[None]:
    """What a scenario refuses is an option that was given."""
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(f"--{error}") from error


def check_picture(path: Path | None) -> None:
    """Refuse what could not be drawn, before anything is simulated."""
    if path is None:
        return
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigurationError("--picture draws with matplotlib; `pip install 'iraas[plots]'` brings it")
    if path.suffix not in FORMATS:
        raise ConfigurationError(f"--picture {path}: its name must end in {', '.join(FORMATS)}")
    if not path.absolute().parent.is_dir():
        raise ConfigurationError(f"--picture {path}: there is no folder {path.absolute().parent}")


def check_times(**times: float) -> None:
    """Refuse times of nothing."""
    for name, seconds in times.items():
        if not 0 < seconds < math.inf:
            raise ConfigurationError(f"--{name}: {seconds:g} s is no time; give more than 0")
