"""uint8[N, S, S, 3] -> float32[N, K], on OpenVINO: the default engine, for CPUs."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from iraas.models.engine import EngineModel, Row
from iraas.models.folder import ModelFolder
from iraas.models.port import Pixels

_CONVERTER = "openvino.tools.ovc"


class OpenVinoModel(EngineModel):
    """A model on one core: about 0.4 s and 100 MB to load `fast`. Raises `ConfigurationError`."""

    engine = "OpenVINO"

    def _load(self, folder: ModelFolder) -> None:
        openvino = _import_openvino()
        core = openvino.Core()
        compiled = core.compile_model(_one_picture(openvino, core, folder), "CPU", _one_core(core))
        self._request = compiled.create_infer_request()
        self._pixels = np.empty((1, folder.spec.size, folder.spec.size, 3), np.uint8)
        self._request.set_input_tensor(openvino.Tensor(self._pixels, shared_memory=True))
        self._output = self._request.get_output_tensor()

    def _raw(self, picture: Pixels) -> Row:
        self._pixels[0] = picture
        self._request.infer()
        row: Row = self._output.data[0]
        return row


def _one_picture(openvino: Any, core: Any, folder: ModelFolder) -> Any:
    """The graph for uint8[1, S, S, 3]; what it does not do itself of the normalisation is put in front."""
    from openvino.preprocess import PrePostProcessor

    spec, model = folder.spec, core.read_model(folder.onnx)
    side = spec.size
    model.reshape([1, side, side, 3] if spec.layout == "NHWC" else [1, 3, side, side])
    if folder.takes_bytes and spec.layout == "NHWC":
        return model
    steps = PrePostProcessor(model)
    pixels = steps.input()
    pixels.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    pixels.model().set_layout(openvino.Layout(spec.layout))
    if not folder.takes_bytes:
        pixels.preprocess().convert_element_type(openvino.Type.f32)
        pixels.preprocess().mean(list(spec.means)).scale(list(spec.deviations))
    return steps.build()


def _one_core(core: Any) -> dict[str, Any]:
    has_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        # Pinned, two worker processes share the first core and the second idles: half the throughput.
        "ENABLE_CPU_PINNING": False,
        "INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16 else "f32",
    }


def _import_openvino() -> Any:
    """Import OpenVINO without its model converter.

    `import openvino` also imports the converter where it can, and with it a telemetry client and Python's
    HTTP stack: 0.15 s and 15 MB for each process, and code that would like to send. We never convert.
    """
    absent = _CONVERTER not in sys.modules
    if absent:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # "cannot be imported", which it catches
    try:
        import openvino
    finally:
        if absent:
            del sys.modules[_CONVERTER]
    return openvino
