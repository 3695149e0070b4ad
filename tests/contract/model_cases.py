"""The models that every engine must run: what the engines' two contract files share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from onnx import numpy_helper
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


def other_weights(model):
    """Put other weights into the graph of `write_model_folder`."""
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(WEIGHTS + 1, "weights"))


ALIKE = ({}, {"name": "other"}, {"labels": tuple("abcde")}, {"provenance": "elsewhere"})
DIFFERENT = ({"edit": other_weights}, {"mean": 100}, {"deviation": 50}, {"mirror": True}, {"crop_margin": 0})


class EngineContract(ModelContract):
    """The contract over all bundled models and some of a user's own. `make` is the engine."""

    make: ClassVar[Callable[[ModelFolder], Model]]

    @pytest.fixture(scope="class", params=[*BUNDLED, *OWN])
    @classmethod
    def model(cls, request, tmp_path_factory) -> Model:
        """A bundled model, or one of a user's own."""
        if request.param in BUNDLED:
            return cls.make(find_model(request.param))
        return cls.make(read_folder(write_model_folder(tmp_path_factory.mktemp("own"), **OWN[request.param])))

    @pytest.fixture
    def alike(self, tmp_path) -> Sequence[Model]:
        """Models that differ in words only."""
        return self._models(tmp_path / "alike", ALIKE)

    @pytest.fixture
    def different(self, tmp_path) -> Sequence[Model]:
        """Models that differ in the weights or in one step of the preprocessing."""
        return self._models(tmp_path / "different", DIFFERENT)

    def _models(self, path: Path, changes: Sequence[dict]) -> list[Model]:
        folders = [write_model_folder(path / str(number), **change) for number, change in enumerate(changes)]
        return [type(self).make(read_folder(folder)) for folder in folders]
