"""bytes -> Answer in this process, without queues or stores."""

from __future__ import annotations

import hashlib
import time

import uuid_utils

from iraas.intake.inspect import Limits, inspect
from iraas.messages import Answer, ImageFacts, Timing
from iraas.worker.infer import Classifier


class LocalClassifier:
    """What the service does to one picture, for one person at one machine."""

    def __init__(self, classifier: Classifier, limits: Limits) -> None:
        self._classifier = classifier
        self._limits = limits

    def classify(self, data: bytes, filename: str | None = None, top: int = 5) -> Answer:
        """One image file -> its best `top` labels. Raises the errors of `iraas.errors` for a bad picture."""
        begun = time.perf_counter()
        header = inspect(data, self._limits)
        computed = self._classifier.compute(data)
        best = computed.predictions[0]
        return Answer(
            id=str(uuid_utils.uuid7()),
            filename=filename,
            label=best.label,
            score=best.score,
            predictions=computed.predictions[:top],
            model=self._classifier.name,
            image=ImageFacts(header.format, header.width, header.height, hashlib.sha256(data).hexdigest()),
            timing_ms=Timing(
                queued=0.0,
                decode=computed.decode_ms,
                infer=computed.infer_ms,
                total=round((time.perf_counter() - begun) * 1000, 2),
            ),
        )
