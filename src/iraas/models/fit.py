"""GraphFacts + ModelSpec + labels -> nothing, or one line that says why they do not fit together.

A model folder is trusted like code; still, a model may not reach for data outside of its file, nor ask for
operators that are not ONNX's own. All of it is checked before an engine sees the file, so that both engines
refuse the same folders in the same words.
"""

from __future__ import annotations

from collections.abc import Sequence

from iraas.models.onnx_graph import GraphFacts
from iraas.models.port import Label
from iraas.models.spec import ModelSpec

OPERATOR_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})  # what the ONNX standard itself defines


def refuse_unfit(graph: GraphFacts, spec: ModelSpec, labels: Sequence[Label]) -> None:
    """Raises `ValueError` that names the file and the mend, unless everything fits."""
    _refuse_outside(graph)
    _refuse_input(graph, spec)
    _refuse_output(graph)
    [classes] = graph.outputs
    if classes.shape:
        refuse_label_count(classes.shape[-1], labels)


def refuse_label_count(classes: int | None, labels: Sequence[Label]) -> None:
    """Raises `ValueError` unless each class has one label; None: the file leaves their number open."""
    if classes not in {None, len(labels)}:
        raise ValueError(
            f"labels.txt has {len(labels)} labels, but model.onnx has {classes} classes: "
            "give each class one line, in the order of the model's output"
        )


def _refuse_outside(graph: GraphFacts) -> None:
    if graph.external:
        raise ValueError(
            f"model.onnx keeps the data of {graph.external[0]!r} in another file: save it as one file "
            "(onnx.save with save_as_external_data=False)"
        )
    if foreign := sorted(graph.domains - OPERATOR_DOMAINS):
        raise ValueError(
            f"model.onnx needs custom operators of {foreign[0]!r}: export it with ONNX's own only"
        )


def _refuse_input(graph: GraphFacts, spec: ModelSpec) -> None:
    if len(graph.inputs) != 1:
        raise ValueError(f"model.onnx has {len(graph.inputs)} inputs: export it with one, the pixels")
    [pixels] = graph.inputs
    if pixels.dtype not in {"uint8", "float32"}:
        raise ValueError(
            f"model.onnx takes {pixels.dtype} as {pixels.name!r}: export it with an input of uint8 or float32"
        )
    if pixels.dtype == "uint8" and not spec.takes_pixels_as_they_are:
        raise ValueError(
            "model.toml: mean must be 0 and deviation 1, as model.onnx takes uint8 and normalises it itself"
        )
    side = spec.size
    wanted = (1, side, side, 3) if spec.layout == "NHWC" else (1, 3, side, side)
    if not _agree(pixels.shape, wanted):
        raise ValueError(
            f"model.onnx takes pixels of the shape {_shown(pixels.shape)}, but size and layout of model.toml "
            f"mean {_shown(wanted)}: correct model.toml, or export the model so"
        )


def _refuse_output(graph: GraphFacts) -> None:
    if len(graph.outputs) != 1:
        raise ValueError(f"model.onnx has {len(graph.outputs)} outputs: export it with one, the classes")
    [classes] = graph.outputs
    if classes.dtype != "float32":
        raise ValueError(
            f"model.onnx gives {classes.dtype} as {classes.name!r}: export it with an output of float32"
        )
    if classes.shape and len(classes.shape) != 2:
        raise ValueError(
            f"model.onnx gives the shape {_shown(classes.shape)}: export it with an output of (1, classes)"
        )


def _agree(shape: tuple[int | None, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(a in {None, b} for a, b in zip(shape, wanted, strict=True))


def _shown(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if length is None else str(length) for length in shape) + ")"
