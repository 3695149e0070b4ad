"""number -> a photograph as PNG, and the label that this code gives it without any service."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image
from skimage import data

from iraas.settings import load_settings
from iraas.wiring.model import load_classifier

SIDE = 280  # pixels
PHOTOGRAPHS = 24


@cache
def photograph(number: int) -> bytes:
    """One of `PHOTOGRAPHS`, cut from those that scikit-image brings: other numbers give the same again."""
    which, cut = divmod(number % PHOTOGRAPHS, 6)
    whole = np.asarray((data.chelsea, data.coffee, data.rocket, data.astronaut)[which]())
    top = cut % 2 * (whole.shape[0] - SIDE)
    left = cut // 2 * ((whole.shape[1] - SIDE) // 2)
    buffer = io.BytesIO()
    Image.fromarray(whole[top : top + SIDE, left : left + SIDE]).save(buffer, "PNG")
    return buffer.getvalue()


@cache
def labels(model: str) -> tuple[str, ...]:
    """The right label of each of the `PHOTOGRAPHS`, by a model in this process."""
    settings = load_settings(model=model)
    classifier = load_classifier(settings)
    return tuple(classifier.classify(photograph(n), "photograph.png", 1).label for n in range(PHOTOGRAPHS))
