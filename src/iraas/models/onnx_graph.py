"""The bytes of an ONNX file -> GraphFacts: what goes in, what comes out, and what it reaches for outside.

Both engines would follow a file's references to other files, and neither says so beforehand; the `onnx`
package is a tool for developers. So this reads the few fields that matter from the file's protobuf, and
jumps over the weights. Field numbers are those of onnx.proto (https://github.com/onnx/onnx).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# Which fields of a message hold which messages: every place where a tensor or an operator can hide.
_INSIDE: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 11: "Input", 12: "Output", 15: "Sparse"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
}
_NODE_DOMAIN, _FUNCTION_DOMAIN = 7, 10
_TENSOR_NAME, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 13, 14
_TOP = 2  # messages deep: what the model's own graph holds, not the branches of an If or a Loop
_DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    6: "int32",
    7: "int64",
    10: "float16",
    11: "float64",
    16: "bfloat16",
}


class NotOnnx(ValueError):
    """Bytes that are not an ONNX model."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this is not an ONNX model ({why}): export it again")


class Port(NamedTuple):
    """An input or output of a graph."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]  # None: of any length


class GraphFacts(NamedTuple):
    """What an ONNX file says of itself."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    domains: frozenset[str]  # of its operators; "" is ONNX's own
    external: tuple[str, ...]  # names of tensors whose data lies in other files


def read_graph(data: memoryview) -> GraphFacts:
    """The bytes of an ONNX file -> what it says of itself. Raises `NotOnnx`."""
    inputs: list[Port] = []
    outputs: list[Port] = []
    domains: set[str] = set()
    external: list[str] = []
    initialised: set[str] = set()
    graphs = 0

    ahead = [("Model", data, 0)]
    while ahead:  # not recursion: how deep a file nests is the file's choice
        kind, message, depth = ahead.pop()
        if kind == "Tensor":
            name, is_external = _tensor(message)
            if is_external:
                external.append(name)
            if depth == _TOP:
                initialised.add(name)
        elif kind in {"Input", "Output"}:
            if depth == _TOP:
                (inputs if kind == "Input" else outputs).append(_port(message))
        else:
            graphs += kind == "Graph"
            for number, value in _fields(message):
                if number in _INSIDE[kind]:
                    ahead.append((_INSIDE[kind][number], _bytes(value), depth + 1))
                elif (kind, number) in {("Node", _NODE_DOMAIN), ("Function", _FUNCTION_DOMAIN)}:
                    domains.add(_text(value))
    if not graphs:
        raise NotOnnx("it holds no graph")
    # Old files list their weights among the inputs.
    return GraphFacts(
        tuple(port for port in reversed(inputs) if port.name not in initialised),
        tuple(reversed(outputs)),
        frozenset(domains),
        tuple(reversed(external)),
    )


def _tensor(message: memoryview) -> tuple[str, bool]:
    name, is_external = "", False
    for number, value in _fields(message):
        if number == _TENSOR_NAME:
            name = _text(value)
        elif number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value != 0):
            is_external = True
    return name, is_external


def _port(message: memoryview) -> Port:
    name, dtype, shape = "", "unknown", []
    for number, value in _fields(message):
        if number == 1:
            name = _text(value)
        elif number == 2:  # TypeProto, whose field 1 is a tensor's type
            for tensor_type in _all(_bytes(value), 1):
                for field, what in _fields(_bytes(tensor_type)):
                    if field == 1:
                        dtype = _DTYPES.get(what, f"type {what}") if isinstance(what, int) else dtype
                    elif field == 2:
                        shape = [_length(_bytes(axis)) for axis in _all(_bytes(what), 1)]
    return Port(name, dtype, tuple(shape))


def _length(axis: memoryview) -> int | None:
    lengths = [value for value in _all(axis, 1) if isinstance(value, int)]
    # Some exporters write 0 or -1 for "any"; protobuf has -1 as 2 to the 64th less one.
    return lengths[-1] if lengths and 0 < lengths[-1] < 1 << 63 else None


def _all(message: memoryview, wanted: int) -> list[int | memoryview]:
    return [value for number, value in _fields(message) if number == wanted]


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise NotOnnx("a number stands where a message should")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_bytes(value)).decode("utf-8", "replace")


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Each field of a protobuf message: its number, and its integer or its bytes."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        elif wire in {1, 5}:
            length = 8 if wire == 1 else 4
        else:
            raise NotOnnx(f"byte {at} starts no protobuf field")
        if at + length > end:
            raise NotOnnx("it is cut short")
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    if at < len(message) and (byte := message[at]) < 0x80:  # nearly all of them
        return byte, at + 1
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise NotOnnx("it is cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise NotOnnx("a number in it is too long")
