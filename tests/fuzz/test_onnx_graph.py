"""No bytes make the reader of ONNX files do anything but answer or refuse."""

import onnx
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from tests.model_folders import write_model_folder

from iraas.models.onnx_graph import GraphFacts, NotOnnx, read_graph


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> bytes:
    """A small model's bytes, with much in them that can be turned into something bad."""
    model = onnx.load(write_model_folder(tmp_path_factory.mktemp("model")) / "model.onnx")
    model.graph.node[0].domain = "ai.onnx"
    for tensor in model.graph.initializer:
        tensor.data_location = onnx.TensorProto.DEFAULT
    return model.SerializeToString()


def facts_of(data: bytes) -> GraphFacts | None:
    """What the reader says, or None where it refuses. Anything but `NotOnnx` is an error of the test."""
    try:
        return read_graph(memoryview(data))
    except NotOnnx:
        return None


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_or_refused(data):
    """Nonsense is refused, never followed."""
    facts_of(data)


@given(data=st.data())
def test_nothing_that_onnx_sees_is_missed(good, data):
    """Where `onnx` still reads a damaged file, its operators' domains and its data in other files are found."""
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:place] + bytes([data.draw(st.integers(0, 255))]) + good[place + 1 :]

    facts = facts_of(damaged)

    try:
        graph = onnx.ModelProto.FromString(damaged).graph
    except DecodeError:
        return
    if facts is not None:
        assert {text(node.domain) for node in graph.node} - {""} <= facts.domains
        assert {text(one.name) for one in graph.initializer if one.data_location} <= set(facts.external)


def text(value: str | bytes) -> str:
    """A string as our reader has it; protobuf gives the bytes of one that is not UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
