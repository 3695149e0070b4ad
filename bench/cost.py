"""core-ms and pictures a second of iraas, the bare loop and two in-process servers, 32 pictures at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from bench.contender import Round
from bench.disk import new_file_core_ms
from bench.folders import DATA
from bench.session import Session
from bench.side_by_side import Rounds, contenders, interleaved, prefix
from bench.spread import Spread

CONCURRENCY = 32
NAMES = ("core_ms_ratio", "throughput_ratio", "same_stack_ratio")


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return 1 + 5 + 5 * _rounds(quick)


def measure(session: Session) -> None:
    """Put the figures of `NAMES`, and what they are made of."""
    with contenders(session) as running:
        seconds = 1.5 if session.quick else 4.0
        measured = interleaved(
            session, running, rounds=_rounds(session.quick), seconds=seconds, concurrency=CONCURRENCY
        )
        session.put("new_file_core_ms", Spread.of(new_file_core_ms(DATA / "floor") for _ in range(3)))
    put_cost(session, measured)


def put_cost(session: Session, measured: Rounds) -> None:
    """Rounds -> figures; a ratio is taken round by round."""

    def each(name: str, value: Callable[[Round], float]) -> Spread:
        return Spread.of(value(one) for one in measured[name])

    def ratio(value: Callable[[Round], float], name: str, to: str) -> Spread:
        return Spread.of(
            value(one) / value(other) for one, other in zip(measured[name], measured[to], strict=True)
        )

    session.put("core_ms_ratio", ratio(_core_ms, "iraas", "bare"))
    session.put("throughput_ratio", ratio(_per_second, "iraas", "fastapi"))
    session.put("same_stack_ratio", ratio(_core_ms, "iraas", "same_stack"))
    session.put("same_stack_push_ratio", ratio(_core_ms, "iraas", "same_stack_push"))
    session.put("throughput_ceiling", ratio(_core_ms, "fastapi", "bare"))
    for name, rounds in measured.items():
        session.put(f"{prefix(name)}core_ms", each(name, _core_ms))
        session.put(f"{prefix(name)}images_per_second", each(name, _per_second))
        parts = rounds[0].parts
        for part in parts if len(parts) > 1 else ():
            session.put(f"{prefix(name)}{part}_core_ms", each(name, partial(_part_ms, part)))
    session.put("asking_core_ms", each("iraas", _generator_ms))
    session.notes.extend(_why(session.results))


def _why(results: Mapping[str, Spread]) -> Iterator[str]:
    """Where the milliseconds go, and what no server could do better on this CPU."""
    value = {name: spread.value for name, spread in results.items()}
    yield (
        f"of iraas' {value['core_ms']:.2f} core-ms, {value['web_core_ms']:.2f} are the web process's and "
        f"{value['workers_core_ms']:.2f} the workers', who decode and infer as the bare loop does for "
        f"{value['bare_core_ms']:.2f}, and rank the labels, read, store and reply for the rest"
    )
    yield (
        f"the kernel takes {value['new_file_core_ms']:.2f} core-ms of the web process to write 300 KB to a new file: "
        "0.1 on a machine that owns its memory, 1 and more where a host gives each page when it is first touched"
    )
    yield (
        f"FastAPI + ONNX Runtime + Pillow takes {value['throughput_ceiling']:.2f} times the CPU of the bare loop: "
        "throughput_ratio cannot come to more here, however little iraas adds"
    )


def _core_ms(one: Round) -> float:
    return one.core_ms


def _part_ms(part: str, one: Round) -> float:
    return one.part_ms(part)


def _per_second(one: Round) -> float:
    return one.images_per_second


def _generator_ms(one: Round) -> float:
    return one.generator_cpu_seconds * 1000 / one.images


def _rounds(quick: bool) -> int:
    return 2 if quick else 5
