"""What load is put on: clients that wait for their answers, or requests by the clock."""

from __future__ import annotations

from dataclasses import dataclass

from iraas.scaling.workloads import Workload


@dataclass(frozen=True)
class Closed:
    """Clients that begin at once; each sends its next request when it has its answer."""

    clients: int
    requests: int | None  # of all clients together; None: until `seconds` have passed
    seconds: float | None = None

    @property
    def expected(self) -> float | None:
        """How many requests there will be; None if that depends on the answers."""
        return None if self.seconds is not None else self.requests

    @property
    def words(self) -> str:
        """What a table calls it."""
        return f"{self.clients} client{'s' * (self.clients != 1)}"


@dataclass(frozen=True)
class Open:
    """Requests by the clock, whatever is answered."""

    workload: Workload
    seed: int = 0
    max_open: int = 1_000  # requests at once; those that are due meanwhile wait, and their latency counts it

    @property
    def expected(self) -> float | None:
        """How many requests there will be, on the average."""
        return round(self.workload.expected)

    @property
    def words(self) -> str:
        """What a table calls it."""
        rate = self.workload.expected / self.workload.duration
        return (
            f"{self.workload.name}, {rate:,.3g} a second on the average for {self.workload.duration:,.0f} s"
        )
