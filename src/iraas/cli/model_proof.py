"""Settings -> Proof: that a model's file is whole, that it runs here, and that it knows what we know."""

from __future__ import annotations

import msgspec

from iraas.models.catalog import find_model
from iraas.models.known import known_pictures
from iraas.settings import Settings
from iraas.wiring.model import limits, load_model
from iraas.worker.infer import Classifier


class Seen(msgspec.Struct, frozen=True):
    """A known picture: what it shows, and what the model says of it."""

    expected: str
    label: str
    score: float  # probability, 0 to 1


class Proof(msgspec.Struct, frozen=True):
    """What is known of a model after it was tried."""

    name: str
    model: str  # NAME@FINGERPRINT
    engine: str
    hash: str  # matches | not stated
    classes: int
    seen: tuple[Seen, ...]  # empty: none of the known pictures is of its classes
    ok: bool

    def in_words(self) -> str:
        """One line."""
        seen = ", ".join(f"{one.expected} seen as {one.label} ({one.score:.2f})" for one in self.seen)
        return (
            f"{self.name}: {self.model} on {self.engine}, hash {self.hash}, {self.classes} classes, "
            f"{seen or 'no known picture is of its classes'}"
        )


def prove(settings: Settings) -> Proof:
    """Try the model of `settings`. Raises `ConfigurationError` when it cannot be run."""
    stated = find_model(settings.model).spec.sha256  # it refuses a folder whose hash is another
    classifier = Classifier(load_model(settings), limits(settings))
    names = {label.wnid: label.name for label in classifier.model.labels if label.wnid}
    seen = []
    for wnid, picture in known_pictures().items():
        if wnid in names:
            best = classifier.compute(picture).predictions[0]
            seen.append(Seen(names[wnid], best.label, best.score))
    return Proof(
        name=settings.model,
        model=classifier.name,
        engine=settings.engine,
        hash="matches" if stated else "not stated",
        classes=len(classifier.model.labels),
        seen=tuple(seen),
        ok=all(one.label == one.expected for one in seen),
    )
