"""A model folder is either fit to run, or refused in one line that names file, field and mend."""

import hashlib
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.model_folders import LABELS, write_model_folder

from iraas.errors import ConfigurationError
from iraas.models.folder import read_folder

WRONG_SHA256 = "0" * 64


def refusal(folder) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(ConfigurationError) as caught:
        read_folder(folder)
    assert "\n" not in caught.value.detail
    return caught.value.detail


def test_a_good_folder_is_taken_as_it_says(tmp_path):
    """Specification, labels and the input's type come out."""
    folder = read_folder(write_model_folder(tmp_path))

    assert (folder.spec.name, folder.spec.size, folder.takes_bytes) == ("mean-colour", 32, False)
    assert [f"{label.wnid} {label.name}".strip() for label in folder.labels] == list(LABELS)
    assert folder.onnx == tmp_path / "model.onnx"


def test_a_hash_that_fits_is_taken(tmp_path):
    """With sha256 stated, the very same file is wanted."""
    write_model_folder(tmp_path)
    sha256 = hashlib.sha256((tmp_path / "model.onnx").read_bytes()).hexdigest()

    assert read_folder(write_model_folder(tmp_path, sha256=sha256)).spec.sha256 == sha256


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """A misspelt name ends with the way to the right ones."""
    assert refusal(tmp_path / "fats") == (
        f"{tmp_path / 'fats'}: there is no such folder; `iraas models list` has the bundled models"
    )


@pytest.mark.parametrize("name", ["model.onnx", "model.toml", "labels.txt"])
def test_a_missing_file_is_named(tmp_path, name):
    """Each of the three files is needed."""
    (write_model_folder(tmp_path) / name).unlink()

    assert refusal(tmp_path) == (
        f"{tmp_path / name}: No such file or directory: a model folder holds model.onnx, labels.txt and model.toml"
    )


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x89PNG\r\n\x1a\n" * 99])
def test_a_file_that_is_no_model_is_named(tmp_path, data):
    """Any bytes under the name of model.onnx are refused, and none crash."""
    (write_model_folder(tmp_path) / "model.onnx").write_bytes(data)

    assert refusal(tmp_path).startswith(f"{tmp_path / 'model.onnx'}: this is not an ONNX model (")


REFUSALS = {
    "a wrong field": ({"size": 5}, "model.toml: size is 5, but takes pixels a side, 16 to 1024"),
    "a size that is not the graph's": (
        {"size": 64},
        "takes pixels of the shape (any, 3, 32, 32), but size and layout of model.toml mean (1, 3, 64, 64)",
    ),
    "a layout that is not the graph's": (
        {"edit": lambda m: None, "layout": "NHWC", "size": 48},
        "mean (1, 48, 48, 3)",
    ),
    "another hash": ({"sha256": WRONG_SHA256}, "is not the file that model.toml means (sha256 "),
    "a mean for bytes": (
        {"dtype": "uint8", "mean": 127},
        "model.toml: mean must be 0 and deviation 1, as model.onnx takes uint8",
    ),
    "half-precision input": (
        {"dtype": "float16"},
        "takes float16 as 'pixels': export it with an input of uint8 or",
    ),
    "a fixed batch of four": ({"batch": 4}, "takes pixels of the shape (4, 3, 32, 32)"),
    "too few labels": (
        {"labels": LABELS[:-1]},
        "labels.txt has 4 labels, but model.onnx has 5 classes: give each class one line",
    ),
    "too many labels": (
        {"labels": (*LABELS, "one more")},
        "labels.txt has 6 labels, but model.onnx has 5 classes",
    ),
    "two inputs": ({"edit": lambda m: m.graph.input.add(name="second")}, "has 2 inputs: export it with one"),
    "two outputs": (
        {"edit": lambda m: m.graph.output.add(name="second")},
        "has 2 outputs: export it with one",
    ),
    "flat pixels": (
        {"edit": lambda m: m.graph.input[0].type.tensor_type.shape.dim.pop()},
        "takes pixels of the shape (any, 3, 32)",
    ),
    "pixels that are not square": (
        {"edit": lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[3], "dim_value", 48)},
        "takes pixels of the shape (any, 3, 32, 48)",
    ),
    "grey pixels": (
        {"edit": lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 1)},
        "takes pixels of the shape (any, 1, 32, 32)",
    ),
    "an output of whole numbers": (
        {"edit": lambda m: setattr(m.graph.output[0].type.tensor_type, "elem_type", TensorProto.INT64)},
        "gives int64 as 'logits': export it with an output of float32",
    ),
    "an output of maps": (
        {"edit": lambda m: m.graph.output[0].type.tensor_type.shape.dim.add(dim_value=7)},
        "gives the shape (any, 5, 7): export it with an output of (1, classes)",
    ),
    "operators of its own": (
        {"edit": lambda m: m.graph.node.append(helper.make_node("Odd", ["a"], ["b"], domain="com.example"))},
        "needs custom operators of 'com.example': export it with ONNX's own only",
    ),
    "data elsewhere": (
        {"save": {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}},
        "in another file: save it as one file",
    ),
}


@pytest.mark.filterwarnings("default")  # onnx warns of what we do to its files
@pytest.mark.parametrize("case", REFUSALS)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path, case):
    """The line names the folder, what is wrong, and what to do."""
    changes, words = REFUSALS[case]

    said = refusal(write_model_folder(tmp_path, **changes))

    assert said.startswith(str(tmp_path))
    assert words in said


def test_an_output_of_open_length_is_left_to_the_engine(tmp_path):
    """When the file does not say how many classes there are, nothing is refused here."""
    for clear in (
        lambda m: m.graph.output[0].type.tensor_type.ClearField("shape"),
        lambda m: m.graph.output[0].type.tensor_type.shape.dim[1].ClearField("dim_value"),
    ):
        assert read_folder(write_model_folder(tmp_path, edit=clear, labels=("a", "b"))).labels


def test_an_open_side_is_set_by_the_size(tmp_path):
    """A graph of any size is run at the size that model.toml says."""

    def open_sides(model: onnx.ModelProto) -> None:
        for axis in model.graph.input[0].type.tensor_type.shape.dim[2:]:
            axis.ClearField("dim_value")

    assert read_folder(write_model_folder(tmp_path, edit=open_sides, size=100)).spec.size == 100


def scale(model: onnx.ModelProto) -> None:
    """Change one weight by a little."""
    weights = onnx.numpy_helper.to_array(model.graph.initializer[1]).copy()
    weights[0, 0] = np.nextafter(weights[0, 0], 1)
    model.graph.initializer[1].CopyFrom(onnx.numpy_helper.from_array(weights, "weights"))


@pytest.mark.parametrize(
    "change",
    [{"edit": scale}, {"mean": 100}, {"deviation": 50}, {"crop_margin": 31}, {"mirror": True}],
    ids=["one weight", "mean", "deviation", "crop margin", "mirror"],
)
def test_whatever_changes_answers_changes_the_fingerprint(tmp_path, change):
    """Weights and each step of the preprocessing count."""
    before = read_folder(write_model_folder(tmp_path)).fingerprint

    after = read_folder(write_model_folder(tmp_path, **change)).fingerprint

    assert re.fullmatch("[0-9a-f]{8}", before)
    assert after != before


def test_words_do_not_change_the_fingerprint(tmp_path):
    """Names, labels and provenance do not count, nor how a figure is written."""
    before = read_folder(write_model_folder(tmp_path, mean=120)).fingerprint

    after = read_folder(
        write_model_folder(tmp_path, mean=[120.0, 120, 120], name="x", licence="none", labels=tuple("abcde"))
    ).fingerprint

    assert after == before
