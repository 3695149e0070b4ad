"""Audit -> lines for people: counts with what they mean, and what to do."""

from __future__ import annotations

from iraas.answers.audit import MAX_LISTED, Audit

SHOWN = 20  # ids; `--json` has up to MAX_LISTED


def as_text(audit: Audit, *, age: str, resent: bool) -> str:
    """The counts, and a verdict. `age` is what the user wrote."""
    return "\n".join([*_counts(audit, age), "", *_verdict(audit, age, resent=resent)])


def _counts(audit: Audit, age: str) -> list[str]:
    oldest = "" if audit.oldest_pending is None else f"the oldest since {_duration(audit.oldest_pending)}"
    rows = [
        ("Pictures stored", audit.pictures, ""),
        ("  with an answer", audit.answered, ""),
        ("  without one yet", audit.pending, oldest),
        (f"    for more than {age}", audit.late, ""),
        ("    whose job is in no queue", audit.without_job, "at least; a queue tells only how many it holds"),
        ("Answers stored", audit.answered + audit.without_picture, ""),
        ("  that say why there are no labels", audit.failed, "failures are answers too"),
        ("  of pictures deleted on request", audit.deleted, "what is left is only a mark"),
        ("  whose picture is gone", audit.without_picture, "normal: answers are kept longer than pictures"),
        ("Jobs that wait for a worker", audit.waiting, ""),
        ("Jobs that a worker has", audit.in_flight, ""),
        ("Messages in the dead-letter queue", audit.in_dead_letter_queue, "a web process answers them soon"),
        ("Dead letters", audit.dead_letters, "`iraas dead-letters list` shows them"),
    ]
    name, count = max(len(row[0]) for row in rows), max(len(f"{row[1]:,}") for row in rows)
    return [f"{what:<{name}}  {number:>{count},}  {words}".rstrip() for what, number, words in rows]


def _verdict(audit: Audit, age: str, *, resent: bool) -> list[str]:
    if not audit.late:
        return [f"Every picture older than {age} has its answer."]
    how_many = "1 picture" if audit.late == 1 else f"{audit.late:,} pictures"
    lines = [f"No answer for more than {age} of waiting: {how_many}."]
    lines += [f"  {job_id}" for job_id in audit.late_ids[:SHOWN]]
    if audit.late > SHOWN:
        lines.append(f"  ... and {audit.late - SHOWN:,} more; --json lists the first {MAX_LISTED:,}")
    if resent:
        lines.append(f"Jobs sent again: {audit.sent:,}. Audit once more when workers had time for them.")
    elif audit.without_job:
        lines.append("`iraas audit --resend` sends their jobs again.")
    else:
        lines.append(
            "There are enough jobs in the queues: see that workers run. If they do, and nothing moves, "
            "`iraas audit --resend` sends the jobs again."
        )
    return lines


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
