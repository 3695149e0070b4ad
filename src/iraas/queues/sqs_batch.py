"""entries -> batch requests -> what became of each. A batch that succeeds may have failed in part.

What SQS says is its own fault is tried again, with a bound; what it says is ours is final.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from iraas.errors import IraasError
from iraas.queues.coalesce import Outcome
from iraas.queues.sqs_connection import SqsConnection
from iraas.queues.sqs_errors import Refusal

MAX_ENTRIES = 10  # of a request
PAUSE_SECONDS = (0.1, 0.3, 0.9)  # at most, before the entries that failed go again; jitter takes some off

Entry = Mapping[str, object]
_jitter = random.Random()  # noqa: S311 - nobody gains by guessing a pause


class Fault(NamedTuple):
    """Why an entry was not done, and whether trying again may help."""

    code: str  # AWS's
    error: Exception
    passing: bool


async def deliver(
    connection: SqsConnection,
    operation: str,
    url: str,
    entries: Sequence[Entry],
    *,
    pass_over: Collection[str] = (),
) -> list[Outcome]:
    """What became of each entry, in their order: None, or `ValueError` for what SQS does not take, or
    `BackendUnavailable`. Faults with a code in `pass_over` count as done.
    """
    outcomes: list[Outcome] = [None] * len(entries)
    left = list(range(len(entries)))
    for pause in (0.0, *PAUSE_SECONDS):
        if pause:
            await asyncio.sleep(pause * _jitter.uniform(0.5, 1.0))
        try:
            faults = await _attempt(connection, operation, url, {number: entries[number] for number in left})
        except IraasError as error:
            faults = {number: Fault("", error, passing=False) for number in left}
        faults = {number: fault for number, fault in faults.items() if fault.code not in pass_over}
        for number in left:
            outcomes[number] = faults[number].error if number in faults else None
        left = [number for number, fault in faults.items() if fault.passing]
        if not left:
            break
    return outcomes


async def _attempt(
    connection: SqsConnection, operation: str, url: str, entries: Mapping[int, Entry]
) -> dict[int, Fault]:
    """Send them once; the faults of those that were not done."""
    answer = await connection.call(
        operation, QueueUrl=url, Entries=[{"Id": str(number), **entry} for number, entry in entries.items()]
    )
    done = {entry["Id"] for entry in answer.get("Successful", ())}
    failed = {entry["Id"]: entry for entry in answer.get("Failed", ())}
    return {
        number: _fault(operation, url, failed.get(str(number), {}))
        for number in entries
        if str(number) not in done
    }


def _fault(operation: str, url: str, failed: Mapping[str, Any]) -> Fault:
    refusal = Refusal(
        operation,
        url.rpartition("/")[2],
        str(failed.get("Code", "unanswered")),  # neither done nor failed: only trying again can tell
    )
    ours = bool(failed.get("SenderFault"))
    error = ValueError(str(refusal)) if ours and not refusal.is_about_access else refusal.translated()
    return Fault(refusal.code, error, passing=not ours)
