"""A tiny model folder, as a user would bring it: the mean colour, then one linear layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 32  # pixels a side
LABELS = ("n02124075 Egyptian Mau", "red", "green", "blue", "grey")
WEIGHTS = np.array([[0.1, 2, -1, -1, 0.3], [0.2, -1, 2, -1, 0.3], [0.3, -1, -1, 2, 0.3]], np.float32)
BIAS = np.array([0.0, 0.1, 0.2, 0.3, 0.4], np.float32)
MEANS, DEVIATIONS = (120.0, 110.0, 100.0), (60.0, 55.0, 50.0)


def write_model_folder(
    folder: Path,
    *,
    layout: str = "NCHW",
    dtype: str = "float32",
    output: str = "logits",
    batch: int | str = "batch",
    labels: tuple[str, ...] = LABELS,
    edit: Callable[[onnx.ModelProto], None] = lambda model: None,
    save: dict[str, Any] | None = None,
    **toml: Any,
) -> Path:
    """Write model.onnx, labels.txt and model.toml; `edit` spoils the graph, `toml` replaces or (None) drops fields."""
    folder.mkdir(parents=True, exist_ok=True)
    model = _graph(layout, dtype, output, batch)
    edit(model)
    onnx.save(model, folder / "model.onnx", **(save or {}))
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    fields = {
        "name": "mean-colour",
        "size": SIZE,
        "layout": layout,
        "mean": list(MEANS) if dtype == "float32" else 0,
        "deviation": list(DEVIATIONS) if dtype == "float32" else 1,
        "output": output,
        **toml,
    }
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in fields.items() if value is not None]
    (folder / "model.toml").write_text("".join(lines))
    return folder


def expected_probabilities(pixels: np.ndarray, *, normalised: bool = True) -> np.ndarray:
    """uint8[N, S, S, 3] -> what the folder's model must answer, by arithmetic."""
    colour = pixels.reshape(len(pixels), -1, 3).mean(axis=1)
    if normalised:
        colour = (colour - MEANS) / DEVIATIONS
    logits = colour @ WEIGHTS + BIAS
    rows = np.exp(logits - logits.max(axis=1, keepdims=True))
    return rows / rows.sum(axis=1, keepdims=True)


def _graph(layout: str, dtype: str, output: str, batch: int | str) -> onnx.ModelProto:
    shape = [batch, SIZE, SIZE, 3] if layout == "NHWC" else [batch, 3, SIZE, SIZE]
    axes = [1, 2] if layout == "NHWC" else [2, 3]
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers", "axes"], ["colour"], keepdims=0),
        helper.make_node("Gemm", ["colour", "weights", "bias"], ["logits"]),
    ]
    if output == "probabilities":
        nodes.append(helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1))
    graph = helper.make_graph(
        nodes,
        "mean-colour",
        [helper.make_tensor_value_info("pixels", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, len(BIAS)])],
        [
            numpy_helper.from_array(np.array(axes, np.int64), "axes"),
            numpy_helper.from_array(WEIGHTS, "weights"),
            numpy_helper.from_array(BIAS, "bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
