"""Labelled photographs -> accuracy, served and bare: what the service's road does to an answer (nothing)."""

from __future__ import annotations

from collections.abc import Sequence

from bench.pictures import Photo, labelled
from bench.session import Session
from iraas import Client
from iraas.models.catalog import BUNDLED
from iraas.settings import load_settings
from iraas.wiring.model import load_classifier

NAMES = tuple(f"top1_apart_{model}" for model in BUNDLED)
QUICK_PHOTOS = 16


def steps(quick: bool) -> int:  # noqa: ARG001 - every measurement has this signature
    """How often `measure` steps on."""
    return 2 * len(BUNDLED)


def measure(session: Session) -> None:
    """Put, for each bundled model, its top-1 in per cent and how many photographs are answered otherwise."""
    photos = labelled()[: QUICK_PHOTOS if session.quick else None]
    if not photos:
        session.notes.append("top1: skipped: the shared photographs are not here")
        return
    for model in BUNDLED:
        session.step(f"{model}: {len(photos)} photographs, served")
        served = _served(session, model, photos)
        session.step(f"{model}: {len(photos)} photographs, bare")
        classifier = load_classifier(load_settings(model=model))
        bare = [classifier.classify(photo.png, top=1).predictions[0].wnid for photo in photos]
        session.put(f"top1_apart_{model}", sum(one != other for one, other in zip(served, bare, strict=True)))
        session.put(f"top1_{model}", _accuracy(served, photos))
        session.put(f"top1_bare_{model}", _accuracy(bare, photos))


def _served(session: Session, model: str, photos: Sequence[Photo]) -> list[str]:
    with session.service(model=model) as service, Client(service.url) as client:
        return [client.classify(photo.png, top=1).predictions[0].wnid for photo in photos]


def _accuracy(answers: Sequence[str], photos: Sequence[Photo]) -> float:
    """Per cent of the photographs that got their own class."""
    right = sum(answer == photo.wnid for answer, photo in zip(answers, photos, strict=True))
    return 100 * right / len(photos)
