"""pixels -> the top 100. Also the whole way from bytes, for one picture without queues."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from iraas.intake.inspect import Limits
from iraas.messages import STORED_PREDICTIONS, Prediction
from iraas.models.port import Model, Pixels
from iraas.worker.decode import decode


class Computed(msgspec.Struct, frozen=True):
    """What a picture's computation gave, and what it cost."""

    predictions: tuple[Prediction, ...]  # best first
    decode_ms: float
    infer_ms: float


def top(row: NDArray[np.float32], model: Model, k: int = STORED_PREDICTIONS) -> tuple[Prediction, ...]:
    """float32[K] probabilities -> the k best, best first; equal scores in the order of the classes."""
    best = np.argsort(-row, kind="stable")[:k]
    scores = np.round(row[best].astype(np.float64), 6).tolist()
    return tuple(
        Prediction(
            class_id=class_id,
            wnid=model.labels[class_id].wnid,
            label=model.labels[class_id].name,
            score=score,
        )
        for class_id, score in zip(best.tolist(), scores, strict=True)
    )


class Classifier:
    """A model with its decoder. One thread at a time."""

    def __init__(self, model: Model, limits: Limits) -> None:
        self.model = model
        self._limits = limits
        self.name = f"{model.name}@{model.fingerprint}"

    def decode(self, data: bytes) -> Pixels:
        """An image file -> uint8[S, S, 3]. Raises what `worker.decode` raises."""
        return decode(data, size=self.model.size, crop_margin=self.model.crop_margin, limits=self._limits)

    def infer(self, pictures: Sequence[Pixels]) -> list[tuple[Prediction, ...]]:
        """Up to any number of uint8[S, S, 3] -> their best classes, in batches that the model takes."""
        rows: list[tuple[Prediction, ...]] = []
        step = self.model.max_batch
        for start in range(0, len(pictures), step):
            probabilities = self.model.classify(np.stack(pictures[start : start + step]))
            rows.extend(top(row, self.model) for row in probabilities)
        return rows

    def compute(self, data: bytes) -> Computed:
        """One image file -> its labels. Raises what `worker.decode` raises."""
        begun = time.perf_counter()
        pixels = self.decode(data)
        decoded = time.perf_counter()
        [predictions] = self.infer([pixels])
        return Computed(
            predictions=predictions,
            decode_ms=round((decoded - begun) * 1000, 3),
            infer_ms=round((time.perf_counter() - decoded) * 1000, 3),
        )
