"""What is measured side by side: something that labels pictures for some seconds, and says what that took."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from bench.spread import percentile


class Round(NamedTuple):
    """One stretch of work."""

    images: int
    seconds: float
    parts: dict[str, float]  # CPU seconds by what took them: decode, infer, web, workers, …
    latencies_ms: list[float]
    generator_cpu_seconds: float = 0.0

    @property
    def core_ms(self) -> float:
        """CPU milliseconds a picture, over everything but the generator."""
        return self.part_ms(*self.parts)

    @property
    def images_per_second(self) -> float:
        """On the machine's cores, which a served contender shares with the generator."""
        return self.images / self.seconds

    @property
    def p50_ms(self) -> float:
        """The median latency."""
        return percentile(self.latencies_ms, 50)

    def part_ms(self, *names: str) -> float:
        """CPU milliseconds a picture of these parts."""
        return sum(self.parts[name] for name in names) * 1000 / self.images


class Contender(Protocol):
    """A way to label pictures, ready and warm."""

    name: str

    def run(self, *, seconds: float, concurrency: int) -> Round:
        """Label pictures for `seconds`, `concurrency` at a time. Raises `RuntimeError` when one gets no label."""
        ...
