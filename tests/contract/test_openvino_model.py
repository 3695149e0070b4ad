"""OpenVINO keeps the promises of a model."""

from tests.contract.model_cases import EngineContract

from iraas.models.openvino import OpenVinoModel


class TestOpenVinoModel(EngineContract):
    """OpenVINO, on a CPU."""

    make = OpenVinoModel
