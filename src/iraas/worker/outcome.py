"""job + computation -> the record that the results store will keep."""

from __future__ import annotations

from iraas.blobs.port import Blob
from iraas.errors import IraasError
from iraas.messages import MAX_REASON_CHARACTERS, Answer, Failure, InputFacts, Job, Record, Timing
from iraas.worker.infer import Computed


def answer(job: Job, blob: Blob, computed: Computed, *, model: str, begun_at: float, now: float) -> Record:
    """A picture's labels, with what its input's metadata say of it. Times are wall seconds."""
    facts = InputFacts.of(blob.info.metadata)
    best = computed.predictions[0]
    return Record(
        owner=job.owner,
        outcome=Answer(
            id=job.id,
            filename=facts.filename,
            label=best.label,
            score=best.score,
            predictions=computed.predictions,
            model=model,
            image=facts.image,
            timing_ms=Timing(
                queued=_ms(job.accepted_at, begun_at),
                decode=round(computed.decode_ms, 2),
                infer=round(computed.infer_ms, 2),
                total=_ms(job.accepted_at, now),
            ),
        ),
    )


def failure(job: Job, error: IraasError, blob: Blob | None = None) -> Record:
    """Why a job got no labels. The detail is cut: the audit knows failures by their size."""
    sha256 = blob.info.metadata.get("sha256", "") if blob is not None else ""
    return Record(
        owner=job.owner,
        outcome=Failure(
            id=job.id, slug=error.slug, detail=error.detail[:MAX_REASON_CHARACTERS], sha256=sha256
        ),
    )


def _ms(since: float, until: float) -> float:
    return round(max(0.0, until - since) * 1000, 2)  # wall clocks of two machines may disagree
