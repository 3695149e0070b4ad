"""ONNX Runtime keeps the promises of a model."""

from tests.contract.model_cases import EngineContract

from iraas.models.onnxruntime import OnnxRuntimeModel


class TestOnnxRuntimeModel(EngineContract):
    """ONNX Runtime, on a CPU."""

    make = OnnxRuntimeModel
