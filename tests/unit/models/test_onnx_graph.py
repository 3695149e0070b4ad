"""What can be told of an ONNX file without running it, checked against the `onnx` package."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.model_folders import write_model_folder

from iraas.models.catalog import BUNDLED, find_model
from iraas.models.onnx_graph import NotOnnx, Port, read_graph


def read(model: onnx.ModelProto):
    """The facts of a model in memory."""
    return read_graph(memoryview(model.SerializeToString()))


@pytest.fixture
def model(tmp_path) -> onnx.ModelProto:
    """A small model that reads nothing from elsewhere."""
    return onnx.load(write_model_folder(tmp_path) / "model.onnx")


def external(name: str) -> TensorProto:
    """A tensor whose data lies in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def test_inputs_and_outputs_have_name_type_and_shape(model):
    """An axis of a name or without one is of any length."""
    facts = read(model)

    assert facts.inputs == (Port("pixels", "float32", (None, 3, 32, 32)),)
    assert facts.outputs == (Port("logits", "float32", (None, 5)),)
    assert facts.domains <= {""}
    assert facts.external == ()


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_files_are_read_as_onnx_reads_them(name):
    """Names, types and shapes agree with the reference reader's."""
    path = find_model(name).onnx
    graph = onnx.load(path).graph

    facts = read_graph(memoryview(path.read_bytes()))

    for ports, values in ((facts.inputs, graph.input), (facts.outputs, graph.output)):
        assert [port.name for port in ports] == [value.name for value in values]
        for port, value in zip(ports, values, strict=True):
            tensor = value.type.tensor_type
            assert port.dtype == helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
            assert port.shape == tuple(axis.dim_value or None for axis in tensor.shape.dim)


def test_several_inputs_keep_their_order(model):
    """Ports come in the file's order."""
    model.graph.input.add(name="second")
    model.graph.input.add(name="third")

    assert [port.name for port in read(model).inputs] == ["pixels", "second", "third"]


def test_inputs_of_branches_are_no_inputs(model):
    """The body of a loop has inputs and outputs of its own."""
    body = branch()
    body.input.add(name="step")
    model.graph.node.append(helper.make_node("Loop", ["weights"], ["c"], body=body))

    facts = read(model)

    assert [port.name for port in facts.inputs + facts.outputs] == ["pixels", "logits"]


def test_weights_among_the_inputs_are_no_inputs(model):
    """Files of before 2019 list their initialisers among the inputs."""
    model.graph.input.add(name="weights")

    assert [port.name for port in read(model).inputs] == ["pixels"]


def test_lengths_that_mean_any_are_any(model):
    """Some exporters write 0 or -1 for a length that is open."""
    shape = model.graph.input[0].type.tensor_type.shape
    shape.dim[0].dim_value = -1
    shape.dim[1].dim_value = 0

    assert read(model).inputs[0].shape == (None, None, 32, 32)


def branch(*nodes, tensors=()) -> onnx.GraphProto:
    """A branch of an If."""
    return helper.make_graph(
        list(nodes), "branch", [], [helper.make_empty_tensor_value_info("x")], list(tensors)
    )


HIDING_PLACES = {
    "an initializer": lambda model: model.graph.initializer.append(external("far")),
    "a constant": lambda model: model.graph.node.append(
        helper.make_node("Constant", [], ["c"], value=external("far"))
    ),
    "a branch": lambda model: model.graph.node.append(
        helper.make_node("If", ["weights"], ["c"], then_branch=branch(tensors=[external("far")]))
    ),
    "a branch of a branch": lambda model: model.graph.node.append(
        helper.make_node(
            "If",
            ["weights"],
            ["c"],
            then_branch=branch(
                helper.make_node("If", ["x"], ["y"], else_branch=branch(tensors=[external("far")]))
            ),
        )
    ),
    "a list of tensors": lambda model: (
        model.graph.node.add(op_type="Odd").attribute.add(name="many", type=9).tensors.append(external("far"))
    ),
    "a sparse constant": lambda model: (
        model.graph.node.add(op_type="Constant")
        .attribute.add(name="sparse_value", type=11)
        .sparse_tensor.values.CopyFrom(external("far"))
    ),
    "a list of sparse tensors": lambda model: (
        model.graph.node.add(op_type="Odd")
        .attribute.add(name="many", type=12)
        .sparse_tensors.add()
        .indices.CopyFrom(external("far"))
    ),
    "a list of branches": lambda model: (
        model.graph.node.add(op_type="Odd")
        .attribute.add(name="many", type=10)
        .graphs.append(branch(tensors=[external("far")]))
    ),
    "a default of a function": lambda model: (
        model.functions.add().attribute_proto.add(name="value", type=4).t.CopyFrom(external("far"))
    ),
    "a sparse initializer": lambda model: model.graph.sparse_initializer.add().values.CopyFrom(
        external("far")
    ),
    "a function": lambda model: model.functions.add().node.append(
        helper.make_node("Constant", [], ["c"], value=external("far"))
    ),
    "training": lambda model: model.training_info.add().algorithm.initializer.append(external("far")),
}


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_data_in_other_files_is_found_wherever_it_hides(model, place):
    """Every place of the format that can hold a tensor is looked into."""
    HIDING_PLACES[place](model)

    assert read(model).external == ("far",)


def test_data_is_elsewhere_even_when_only_its_place_says_so(model):
    """A tensor with a location, but without the mark that it is external, counts as external."""
    tensor = external("far")
    tensor.ClearField("data_location")
    model.graph.initializer.append(tensor)

    assert read(model).external == ("far",)


def test_operators_of_others_are_found_wherever_they_hide(model):
    """The domains of nodes are collected from branches and functions, too."""
    model.graph.node.append(helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft"))
    deep = branch(helper.make_node("Odd", ["x"], ["y"], domain="deep"))
    model.graph.node.append(helper.make_node("If", ["weights"], ["c"], then_branch=deep))
    model.functions.add(name="Mine", domain="mine").node.append(
        helper.make_node("Odd", [], [], domain="inner")
    )

    assert read(model).domains - {""} == {"com.microsoft", "deep", "mine", "inner"}


def test_large_weights_are_jumped_over(model):
    """Bytes of weights that look like a graph are not taken for one."""
    inner = model.SerializeToString()
    model.graph.initializer.append(
        numpy_helper.from_array(np.frombuffer(inner, np.uint8), "a file within the file")
    )

    assert [port.name for port in read(model).inputs] == ["pixels"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 a zip",
        b"\x89PNG\r\n\x1a\n",
        b"hello",
        b"\x08\x0a",
        b"\x38\x05",
        b"\x3a\xff\xff\xff\xff\x7f",
    ],
)
def test_other_files_are_refused(data):
    """What is not protobuf, or holds no graph, is not ONNX."""
    with pytest.raises(NotOnnx):
        read_graph(memoryview(data))


def test_a_file_that_is_cut_short_is_refused(model):
    """Cut in the middle of its graph, a file is never half believed."""
    data = model.SerializeToString()

    for length in range(20, len(data) - 20):
        with pytest.raises(NotOnnx):
            read_graph(memoryview(data)[:length])


def test_nesting_without_end_is_no_danger():
    """What lies a thousand branches deep is found, without a thousand calls deep."""
    message = branch(tensors=[external("far")]).SerializeToString()
    for _ in range(1_000):
        for field in (6, 5, 1):  # a graph in an attribute, that in a node, that in a graph
            message = inside(field, message)

    assert read_graph(memoryview(inside(7, message))).external == ("far",)


def inside(field: int, message: bytes) -> bytes:
    """A protobuf message that holds another in a field."""
    length, rest = bytearray(), len(message)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([field << 3 | 2, *length, rest]) + message
