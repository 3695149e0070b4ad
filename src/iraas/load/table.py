"""Summary -> rows of (what, how much), for a terminal and for the report."""

from __future__ import annotations

import msgspec

from iraas.load.summary import Summary
from iraas.load.tally import Latency

Row = tuple[str, str]


def rows(summary: Summary) -> list[Row]:
    """The figures, in the order in which one asks for them."""
    found = [
        ("service", summary.url),
        ("load", summary.load + (" (stopped before its end)" if summary.stopped else "")),
        ("requests", f"{summary.asked:,} in {summary.seconds:.1f} s"),
        ("right answers", f"{summary.right:,}"),
        ("wrong answers", f"{summary.wrong:,}"),
        ("refused (429, 503)", f"{summary.refused:,}"),
        ("missing answers", f"{summary.missing:,}"),
        *((f"  {why}", f"{count:,}") for why, count in summary.why.items()),
        ("answers a second", f"{summary.answers_per_second:.1f}"),
        ("latency, ms", _words(summary.latency_ms)),
    ]
    if summary.lateness_ms is not None:
        found.append(("sent too late by, ms", _words(summary.lateness_ms)))
    found.append(("generator's CPU", f"{summary.core_ms:.2f} core-ms a request"))
    if summary.fleet is not None:
        words = (
            f"at most {summary.fleet.peak_workers:.0f} workers, {summary.fleet.peak_waiting:.0f} jobs waiting"
        )
        found.append(("service's fleet", f"{words}; {summary.fleet.decisions} decisions"))
    return found


def hints(summary: Summary, unlabelled: bytes) -> list[str]:
    """What to do about what went wrong, as far as one can tell."""
    found = [f"{wrong.file}: {wrong.label!r}, expected {wrong.expected!r}" for wrong in summary.first_wrong]
    if unlabelled:
        found.append(f"--match found no label in {unlabelled.decode(errors='replace')!r}")
    if "401" in summary.why:
        found.append("401 says that the key is wrong or missing: give --api-key or set IRAAS_API_KEY")
    if summary.lateness_ms is not None and summary.lateness_ms.p99 > 100:
        found.append(
            "requests were sent late: the generator or its --max-open connections could not keep up; "
            "their latency counts it"
        )
    return found


def _words(latency: Latency | None) -> str:
    if latency is None:
        return "none"
    return "  ".join(
        f"{name} {value:.3g}" if value < 100 else f"{name} {value:,.0f}"
        for name, value in msgspec.structs.asdict(latency).items()
    )
