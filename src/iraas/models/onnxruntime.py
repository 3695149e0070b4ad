"""uint8[N, S, S, 3] -> float32[N, K], on ONNX Runtime: where OpenVINO does not serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from iraas.errors import ConfigurationError
from iraas.models.engine import EngineModel, Row
from iraas.models.folder import ModelFolder
from iraas.models.port import Pixels

CPU = "CPUExecutionProvider"
_ERRORS_ONLY = 3  # severity; warnings about what a machine lacks are of no use to who runs a worker


class OnnxRuntimeModel(EngineModel):
    """A model on one core, or on the first of `providers` that takes it. Raises `ConfigurationError`."""

    engine = "ONNX Runtime"

    def __init__(self, folder: ModelFolder, providers: Sequence[str] = (CPU,)) -> None:
        self._providers = list(providers)
        super().__init__(folder)

    def _load(self, folder: ModelFolder) -> None:
        onnxruntime = _import_onnxruntime()
        available = onnxruntime.get_available_providers()
        if lacking := [name for name in self._providers if name not in available]:
            raise ConfigurationError(
                f"onnx_providers: this ONNX Runtime has no {lacking[0]}; it has {', '.join(available)}"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle workers must not burn
        options.log_severity_level = _ERRORS_ONLY
        self._session = onnxruntime.InferenceSession(folder.onnx, options, providers=self._providers)
        self._input = self._session.get_inputs()[0].name
        self._takes_bytes, self._channels_first = folder.takes_bytes, folder.spec.layout == "NCHW"
        self._mean = np.array(folder.spec.means, np.float32)
        self._scale = 1 / np.array(folder.spec.deviations, np.float32)

    def _raw(self, picture: Pixels) -> Row:
        pixels = picture if self._takes_bytes else (picture - self._mean) * self._scale
        if self._channels_first:
            pixels = pixels.transpose(2, 0, 1)
        [rows] = self._session.run(None, {self._input: np.ascontiguousarray(pixels)[None]})
        row: Row = rows[0]
        return row


def _import_onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigurationError(
            "engine onnxruntime: the package is not installed: pip install 'iraas[onnxruntime]'"
        ) from error
    return onnxruntime
