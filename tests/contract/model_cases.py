"""The models that every engine must run, and models nearly the same: fixtures for the contract's two files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from tests.model_folders import WEIGHTS, write_model_folder

from iraas.models.catalog import BUNDLED, find_model
from iraas.models.folder import ModelFolder, read_folder
from iraas.models.port import Model
from iraas.testing.model_contract import ModelContract

OWN = {
    "planes of floats, logits": {"layout": "NCHW", "dtype": "float32", "output": "logits"},
    "rows of floats, probabilities": {"layout": "NHWC", "dtype": "float32", "output": "probabilities"},
    "planes of bytes, one at a time": {"layout": "NCHW", "dtype": "uint8", "output": "logits", "batch": 1},
    "mirrored": {"mirror": True},
}
DIFFERENT = (
    {"edit": lambda model: model.graph.initializer[1].CopyFrom(_other_weights(model))},
    {"mean": 100},
    {"deviation": 50},
    {"mirror": True},
    {"crop_margin": 0},
)


def _other_weights(model):
    from onnx import numpy_helper

    return numpy_helper.from_array(WEIGHTS + 1, "weights")


class EngineContract(ModelContract):
    """The contract over all bundled models and some of a user's own; an engine's file says how one is made."""

    make: ClassVar[Callable[[ModelFolder], Model]]

    @pytest.fixture(scope="class", params=[*BUNDLED, *OWN])
    def model(self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
        if request.param in BUNDLED:
            return type(self).make(find_model(request.param))
        path = tmp_path_factory.mktemp("own")
        return type(self).make(read_folder(write_model_folder(path, **OWN[request.param])))

    @pytest.fixture(scope="class")
    def alike(self, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Model]:
        return self._models(
            tmp_path_factory.mktemp("alike"), {}, {"name": "other"}, {"labels": tuple("abcde")}
        )

    @pytest.fixture(scope="class")
    def different(self, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Model]:
        return self._models(tmp_path_factory.mktemp("different"), *DIFFERENT)

    def _models(self, path: Path, *changes: dict) -> list[Model]:
        folders = [write_model_folder(path / str(number), **change) for number, change in enumerate(changes)]
        return [type(self).make(read_folder(folder)) for folder in folders]
