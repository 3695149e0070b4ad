"""Settings -> the model, and the limits of what is shown to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iraas.intake.inspect import Limits
from iraas.settings import Settings
from iraas.wiring.overrides import NO_OVERRIDES, Overrides

if TYPE_CHECKING:
    from iraas.models.port import Model
    from iraas.worker.alone import LocalClassifier


def limits(settings: Settings) -> Limits:
    """What a picture may be."""
    return Limits(
        max_image_bytes=settings.max_image_bytes,
        max_pixels=settings.max_pixels,
        max_side=settings.max_side,
        max_chunks_before_data=settings.max_chunks_before_data,
        max_chunks=settings.max_chunks,
    )


def load_model(settings: Settings, overrides: Overrides = NO_OVERRIDES) -> Model:
    """The model that the settings name. Raises `ConfigurationError`."""
    from iraas.models.catalog import load_model

    if overrides.model is not None:
        return overrides.model(settings)
    return load_model(settings.model, engine=settings.engine, providers=providers(settings))


def providers(settings: Settings) -> tuple[str, ...]:
    """ONNX Runtime's execution providers, in their order."""
    return tuple(name.strip() for name in settings.onnx_providers.split(","))


def load_classifier(settings: Settings) -> LocalClassifier:
    """The model and its decoder in this process, without queues. Raises `ConfigurationError`."""
    from iraas.worker.alone import LocalClassifier
    from iraas.worker.infer import Classifier

    return LocalClassifier(Classifier(load_model(settings), limits(settings)), limits(settings))
