"""A model's name, or a folder -> ModelFolder -> Model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from iraas.models.folder import ModelFolder, read_folder
from iraas.models.port import Model

BUNDLED = ("fast", "default", "accurate")  # cheapest first
_BUNDLED_FOLDER = Path(__file__).with_name("bundled")

Engine = Literal["openvino", "onnxruntime"]


def find_model(name: str) -> ModelFolder:
    """One of `BUNDLED`, or the path of a model folder. Raises `ConfigurationError`."""
    return read_folder(_BUNDLED_FOLDER / name if name in BUNDLED else Path(name))


def load_model(
    name: str, *, engine: Engine = "openvino", providers: Sequence[str] = ("CPUExecutionProvider",)
) -> Model:
    """A model that is ready to run; `providers` are ONNX Runtime's. Raises `ConfigurationError`."""
    folder = find_model(name)
    # Imported here, as an engine is tens of megabytes and only one of them is ever wanted.
    if engine == "onnxruntime":
        from iraas.models.onnxruntime import OnnxRuntimeModel

        return OnnxRuntimeModel(folder, providers)
    from iraas.models.openvino import OpenVinoModel

    return OpenVinoModel(folder)
