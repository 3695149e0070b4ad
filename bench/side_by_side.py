"""Contenders, all warm at once -> rounds in turn: A B C, B C A, …, so that other load meets each of them alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench.bare_loop import BareLoop
from bench.contender import Contender, Round
from bench.in_process import InProcessServer
from bench.served import Served, iraas
from bench.session import WORKERS, Session

WARM_UP_SECONDS = 1.0

Rounds = dict[str, list[Round]]


@contextmanager
def contenders(session: Session) -> Iterator[list[Contender]]:
    """Everything that labels pictures here: with the fast model, in two processes each."""
    load = session.pictures.load
    with ExitStack() as running:
        session.step("starting everybody")
        service = running.enter_context(session.service())
        bare = running.enter_context(BareLoop("fast", load, processes=WORKERS))
        same = running.enter_context(InProcessServer("bench.servers.same_stack:app", workers=WORKERS))
        first = running.enter_context(InProcessServer("bench.servers.first_idea:app", workers=WORKERS))
        yield [
            bare,
            iraas(service, load),
            Served("same_stack", f"{same.url}/classify", load, same.parts),
            Served("same_stack_push", f"{same.url}/classify-pushed", load, same.parts),
            Served("fastapi", f"{first.url}/classify", load, first.parts),
        ]


def interleaved(
    session: Session, running: Sequence[Contender], *, rounds: int, seconds: float, concurrency: int
) -> Rounds:
    """Rounds of each contender by its name; the first, to warm up, is not among them."""
    measured: Rounds = {contender.name: [] for contender in running}
    for contender in running:
        session.step(f"{contender.name}: warming up")
        contender.run(seconds=WARM_UP_SECONDS, concurrency=concurrency)
    for number in range(rounds):
        first = number % len(running)
        for contender in (*running[first:], *running[:first]):
            session.step(f"{contender.name}: round {number + 1} of {rounds}, concurrency {concurrency}")
            measured[contender.name].append(contender.run(seconds=seconds, concurrency=concurrency))
    return measured


def prefix(name: str) -> str:
    """What the names of a contender's figures begin with: iraas' own are plain, `core_ms`."""
    return "" if name == "iraas" else f"{name}_"
